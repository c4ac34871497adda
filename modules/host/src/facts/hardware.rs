//! Processors, memory, disks and the firmware's information.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nix::sys::statvfs::statvfs;
use playbook_api::{Context, Map, Value, map};

use super::{put, read};

pub(crate) fn collect(_: &Context, facts: &mut Map) {
    processors(facts);
    memory(facts);
    firmware(facts);
    if let Some(uptime) = read("/proc/uptime").and_then(|t| t.split('.').next()?.parse::<i64>().ok()) {
        put(facts, "uptime_seconds", uptime);
    }
}

fn processors(facts: &mut Map) {
    let text = read("/proc/cpuinfo").unwrap_or_default();
    let mut names: Vec<Value> = Vec::new();
    let (mut sockets, mut cores): (BTreeSet<String>, BTreeMap<String, i64>) =
        (BTreeSet::new(), BTreeMap::new());
    let (mut count, mut socket, mut siblings, mut flags) = (0_i64, "0".to_owned(), 0_i64, Vec::new());
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "processor" => {
                count += 1;
                names.push(value.into());
            }
            "vendor_id" | "model name" | "Processor" | "cpu model" => names.push(value.into()),
            "physical id" => {
                socket = value.to_owned();
                sockets.insert(socket.clone());
            }
            "cpu cores" => {
                cores.insert(socket.clone(), value.parse().unwrap_or(1));
            }
            "siblings" => siblings = value.parse().unwrap_or(0),
            "flags" | "Features" if flags.is_empty() => {
                flags = value.split_whitespace().map(Value::from).collect()
            }
            _ => {}
        }
    }
    let sockets = i64::try_from(sockets.len()).unwrap_or(1).max(1);
    let per_socket = cores.values().next().copied().unwrap_or_else(|| (count / sockets).max(1));
    let threads = if siblings > 0 { (siblings / per_socket).max(1) } else { 1 };
    let usable =
        std::thread::available_parallelism().map_or(count, |n| i64::try_from(n.get()).unwrap_or(count));
    put(facts, "processor", names);
    put(facts, "processor_count", sockets);
    put(facts, "processor_cores", per_socket);
    put(facts, "processor_threads_per_core", threads);
    put(facts, "processor_vcpus", sockets * per_socket * threads);
    put(facts, "processor_nproc", usable);
    put(facts, "flags", flags);
}

fn memory(facts: &mut Map) {
    let text = read("/proc/meminfo").unwrap_or_default();
    let all: BTreeMap<&str, i64> = text
        .lines()
        .filter_map(|l| {
            let (name, rest) = l.split_once(':')?;
            Some((name, rest.split_whitespace().next()?.parse::<i64>().ok()? / 1024))
        })
        .collect();
    let of = |name: &str| all.get(name).copied().unwrap_or(0);
    let (total, free) = (of("MemTotal"), of("MemFree"));
    let unused = free + of("Cached") + of("Buffers");
    put(facts, "memtotal_mb", total);
    put(facts, "memfree_mb", free);
    put(facts, "swaptotal_mb", of("SwapTotal"));
    put(facts, "swapfree_mb", of("SwapFree"));
    let swap = map! {
        "total" => of("SwapTotal"), "free" => of("SwapFree"), "cached" => of("SwapCached"),
        "used" => of("SwapTotal") - of("SwapFree"),
    };
    put(
        facts,
        "memory_mb",
        map! {
            "real" => map! { "total" => total, "free" => free, "used" => total - free },
            "nocache" => map! { "free" => unused, "used" => total - unused },
            "swap" => swap,
        },
    );
}

fn firmware(facts: &mut Map) {
    for (fact, file) in [
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("system_vendor", "sys_vendor"),
    ] {
        put(facts, fact, read(format!("/sys/devices/virtual/dmi/id/{file}")).unwrap_or_else(|| "NA".into()));
    }
    let form = read("/sys/devices/virtual/dmi/id/chassis_type").and_then(|t| t.parse().ok());
    let form = match form {
        Some(1) => "Other",
        Some(3) => "Desktop",
        Some(6) => "Mini Tower",
        Some(7) => "Tower",
        Some(8) => "Portable",
        Some(9) => "Laptop",
        Some(10) => "Notebook",
        Some(17) => "Main Server Chassis",
        Some(23) => "Rack Mount Chassis",
        Some(28) => "Blade",
        Some(2) => "Unknown",
        _ => "NA",
    };
    put(facts, "form_factor", form);
    put(facts, "lvm", "N/A");
}

pub(crate) fn load(_: &Context, facts: &mut Map) {
    let text = read("/proc/loadavg").unwrap_or_default();
    let numbers: Vec<f64> = text.split_whitespace().take(3).filter_map(|n| n.parse().ok()).collect();
    if let [one, five, fifteen] = numbers.as_slice() {
        put(facts, "loadavg", map! { "1m" => *one, "5m" => *five, "15m" => *fifteen });
    }
}

pub(crate) fn mounts(_: &Context, facts: &mut Map) {
    let table = read("/proc/self/mounts").or_else(|| read("/etc/mtab")).unwrap_or_default();
    let uuids = names_by_target("/dev/disk/by-uuid");
    let mounts: Vec<Map> = table.lines().filter_map(|line| mount(line, &uuids)).collect();
    put(facts, "mounts", mounts);
}

fn mount(line: &str, uuids: &BTreeMap<String, String>) -> Option<Map> {
    let fields: Vec<String> = line.split_whitespace().map(unescape).collect();
    let [device, place, kind, options, dump, pass] = fields.as_slice() else { return None };
    if !device.starts_with(['/', '\\']) && !device.contains(":/") && kind != "zfs" || kind == "none" {
        return None;
    }
    let mut facts = map! {
        "mount" => place.as_str(), "device" => device.as_str(), "fstype" => kind.as_str(),
        "options" => options.as_str(),
        "dump" => dump.parse::<i64>().unwrap_or(0), "passno" => pass.parse::<i64>().unwrap_or(0),
        "uuid" => uuids.get(device).map_or("N/A", String::as_str),
    };
    // A file server that does not respond must not block the facts.
    let remote = kind.starts_with("nfs") || kind == "cifs";
    if !remote {
        facts.extend(sizes(place));
    }
    Some(facts)
}

/// Returns the size and the free space of the file system at a path, or nothing if they are not known.
pub(crate) fn sizes(place: &str) -> Map {
    let mut facts = Map::default();
    if let Ok(sizes) = statvfs(Path::new(place)) {
        let block = sizes.fragment_size();
        let (total, available) = (sizes.blocks(), sizes.blocks_available());
        let (inodes, free) = (sizes.files(), sizes.files_free());
        for (name, value) in [
            ("size_total", total * block),
            ("size_available", available * block),
            ("block_size", sizes.block_size()),
            ("block_total", total),
            ("block_available", available),
            ("block_used", total.saturating_sub(available)),
            ("inode_total", inodes),
            ("inode_available", free),
            ("inode_used", inodes.saturating_sub(free)),
        ] {
            put(&mut facts, name, value);
        }
    }
    facts
}

/// `\040` is a space.
pub(crate) fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// Returns the names of the links in a directory, by their targets.
pub(crate) fn names_by_target(directory: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|e| {
            let target = std::fs::canonicalize(e.path()).ok()?;
            Some((target.display().to_string(), e.file_name().to_string_lossy().into_owned()))
        })
        .collect()
}

pub(crate) fn devices(_: &Context, facts: &mut Map) {
    let kinds = [("ids", "by-id"), ("uuids", "by-uuid"), ("labels", "by-label")];
    let links: Vec<(&str, BTreeMap<String, String>)> = kinds
        .iter()
        .map(|(kind, directory)| (*kind, names_by_target(&format!("/dev/disk/{directory}"))))
        .collect();
    let mut devices = Map::default();
    let mut names: Vec<_> =
        std::fs::read_dir("/sys/block").into_iter().flatten().flatten().map(|e| e.file_name()).collect();
    names.sort_unstable();
    for name in names {
        let name = name.to_string_lossy().into_owned();
        devices.insert(name.as_str().into(), device(&name, &links).into());
    }
    put(facts, "devices", devices);
    let mut by_kind = Map::default();
    for (kind, links) in &links {
        let mut of_kind = Map::default();
        for (target, link) in links {
            let name = target.trim_start_matches("/dev/").to_owned();
            of_kind.insert(name.into(), vec![link.as_str()].into());
        }
        by_kind.insert((*kind).into(), of_kind.into());
    }
    by_kind.insert("masters".into(), Value::map());
    put(facts, "device_links", by_kind);
}

fn device(name: &str, links: &[(&str, BTreeMap<String, String>)]) -> Map {
    let path = Path::new("/sys/block").join(name);
    let of = |file: &str| read(path.join(file)).filter(|t| !t.is_empty());
    let sectors = of("size").and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
    let scheduler = of("queue/scheduler").unwrap_or_default();
    let scheduler =
        scheduler.split_once('[').and_then(|(_, s)| s.split(']').next()).unwrap_or(&scheduler).to_owned();
    let holders: Vec<String> = children(&path.join("holders"));
    let mut partitions = Map::default();
    for part in children(&path).into_iter().filter(|c| c.starts_with(name)) {
        let of = |file: &str| read(path.join(&part).join(file)).unwrap_or_default();
        let sectors = of("size").parse::<u64>().unwrap_or(0);
        partitions.insert(
            part.as_str().into(),
            map! {
                "start" => of("start"), "sectors" => sectors, "sectorsize" => 512, "size" => human(sectors * 512),
                "uuid" => of_kind(links, "uuids", &part), "links" => links_of(links, &part),
                "holders" => children(&path.join(&part).join("holders")),
            }
            .into(),
        );
    }
    map! {
        "virtual" => 1, "links" => links_of(links, name), "vendor" => of("device/vendor"), "model" => of("device/model"),
        "serial" => of("device/serial"), "sas_address" => Value::Null, "sas_device_handle" => Value::Null,
        "removable" => of("removable").unwrap_or_default(), "support_discard" => of("queue/discard_granularity"),
        "partitions" => partitions, "rotational" => of("queue/rotational"), "scheduler_mode" => scheduler,
        "sectors" => sectors, "sectorsize" => of("queue/logical_block_size").unwrap_or_else(|| "512".into()),
        "size" => human(sectors * 512), "host" => "", "holders" => holders,
    }
}

fn children(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

fn of_kind(links: &[(&str, BTreeMap<String, String>)], kind: &str, name: &str) -> Value {
    let all = links.iter().find(|(k, _)| *k == kind).map(|(_, l)| l);
    all.and_then(|l| l.get(&format!("/dev/{name}"))).cloned().into()
}

fn links_of(links: &[(&str, BTreeMap<String, String>)], name: &str) -> Map {
    let mut out: Map = links
        .iter()
        .map(|(kind, all)| {
            let here: Vec<&str> = all.get(&format!("/dev/{name}")).map(String::as_str).into_iter().collect();
            ((*kind).into(), here.into())
        })
        .collect();
    out.insert("masters".into(), Vec::<Value>::new().into());
    out
}

/// `258.02 GB`.
fn human(bytes: u64) -> String {
    let units = [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)];
    match units.iter().find(|(_, shift)| bytes >> shift > 0) {
        Some((unit, shift)) => format!("{:.2} {unit}", bytes as f64 / (1_u64 << shift) as f64),
        None => format!("{:.2} Bytes", bytes as f64),
    }
}
