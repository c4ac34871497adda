use xtask::aws::Aws;
use xtask::*;
fn main() {
    let t = std::time::Instant::now();
    let pg = postgres::Postgres::start().unwrap();
    println!("{:?}", t.elapsed());
    let moto = moto::Moto::start().unwrap();
    println!("{:?}", t.elapsed());
    let proxy = proxy::Proxy::start(moto.port).unwrap();
    sandbox::create_database(&pg, "webapp").unwrap();
    let state = sandbox::provision(
        Aws { port: proxy.port },
        "ecs-fargate-webapp",
        &sandbox::Database { host: "127.0.0.1", port: pg.port, name: "webapp" },
    )
    .unwrap();
    println!("{:?}", t.elapsed());
    println!("{state:#}");
    for _ in 0..4 {
        println!("{:#}", Aws { port: proxy.port }.ecs("DescribeServices", &serde_json::json!({"cluster": "ecs-fargate-webapp-cluster", "services": ["ecs-fargate-webapp"]})).unwrap());
    }
}
