//! A proxy in front of the emulator that simulates what the emulator lacks: ECS deployments that take time or fail,
//! throttling, server errors, slow responses and denied access, and the protocol CBOR. It records every call.

mod call;
mod cbor;
mod rollout;

use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub use call::Call;
pub use rollout::{Ending, Plan};

use crate::http::{self, Message};
use crate::{Doing, Result, lock};

/// A fault in the calls of one operation.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The operation, such as `DescribeServices`, or `*` for every operation.
    pub operation: &'static str,
    /// The number of calls that it affects.
    pub times: usize,
    /// What happens to the calls.
    pub kind: FaultKind,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// The response is `ThrottlingException`.
    Throttled,
    /// The response is `InternalFailure`.
    ServerError,
    /// The response is `AccessDeniedException`.
    AccessDenied,
    /// The response comes after this time.
    Slow(Duration),
    /// The connection closes without a response.
    Dropped,
}

/// A running proxy. It ends with the process.
#[derive(Clone)]
pub struct Proxy {
    /// Its port on this machine.
    pub port: u16,
    /// Whether it does no more than translate protocols.
    only_translates: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    faults: Vec<Fault>,
    rollouts: rollout::Rollouts,
}

impl Proxy {
    /// Listens on a free port and forwards calls to the emulator on port `upstream`.
    pub fn start(upstream: u16) -> Result<Proxy> {
        Proxy::listen(upstream, false)
    }

    /// Starts a proxy that simulates nothing, and only translates what the emulator lacks of the protocols.
    pub fn translator(upstream: u16) -> Result<Proxy> {
        Proxy::listen(upstream, true)
    }

    fn listen(upstream: u16, only_translates: bool) -> Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).doing("starting the proxy")?;
        let port = listener.local_addr().doing("starting the proxy")?.port();
        let proxy = Proxy { port, only_translates, state: Arc::default() };
        let served = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(stream, upstream));
            }
        });
        Ok(proxy)
    }

    /// Returns the endpoint URL.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets the course of the deployments that begin from now on.
    pub fn plan(&self, plan: Plan) {
        self.state().rollouts.plan = plan;
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Returns the calls since the last time that this was called.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn serve(&self, stream: TcpStream, upstream: u16) {
        let Ok(mut writer) = stream.try_clone() else { return };
        let _ = writer.set_nodelay(true);
        let mut reader = BufReader::new(stream);
        while let Ok(Some(request)) = Message::read(&mut reader) {
            let answered = match cbor::to_json(&request) {
                Some(translated) => {
                    self.answer(&translated, upstream).map(|response| cbor::of_json(&response))
                }
                None => self.answer(&request, upstream),
            };
            let Some(response) = answered else { return };
            if response.write(&mut writer, true).is_err() {
                return;
            }
        }
    }

    /// Returns the response, or `None` to close the connection.
    fn answer(&self, request: &Message, upstream: u16) -> Option<Message> {
        let call = Call::of(request);
        let fault = {
            let mut state = self.state();
            state.calls.push(call.clone());
            state.fault(&call.operation)
        };
        match fault {
            None => {}
            Some(FaultKind::Slow(time)) => std::thread::sleep(time),
            Some(FaultKind::Dropped) => return None,
            Some(FaultKind::Throttled) => {
                return Some(call.error(400, "ThrottlingException", "Rate exceeded"));
            }
            Some(FaultKind::ServerError) => {
                return Some(call.error(500, "InternalFailure", "The request failed for an unknown reason"));
            }
            Some(FaultKind::AccessDenied) => {
                let who = "arn:aws:sts::123456789012:assumed-role/deployer/ci";
                let message = format!(
                    "User: {who} is not authorized to perform: {}:{} because no identity-based policy \
                    allows the action",
                    call.service, call.operation
                );
                return Some(call.error(400, "AccessDeniedException", &message));
            }
        }
        let mut response = match http::ask(upstream, request) {
            Ok(response) => response,
            Err(error) => return Some(call.error(503, "ServiceUnavailable", &error.to_string())),
        };
        if call.service == "ecs" && response.status() == 200 && !self.only_translates {
            self.state().rollouts.play(&call, &mut response);
        }
        Some(response)
    }
}

impl State {
    fn fault(&mut self, operation: &str) -> Option<FaultKind> {
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.times > 0 && (fault.operation == operation || fault.operation == "*"))?;
        fault.times -= 1;
        Some(fault.kind.clone())
    }
}
