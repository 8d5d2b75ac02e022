//! A proxy before a target's control interface: every request is an act, and the program may be struck when it arrives, or
//! when it was carried out and the answer is on its way.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use anyhow::Result;

use super::{
    http::Message,
    points::{Side, Switch},
};

/// A running proxy; it ends when this is dropped.
pub(super) struct Proxy {
    /// Where it listens.
    pub(super) address: String,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one before an address.
    pub(super) fn before(address: &str, switch: Arc<Switch>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (own, over) = (listener.local_addr()?.to_string(), Arc::new(AtomicBool::new(false)));
        let (ends, behind) = (over.clone(), address.to_owned());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let (behind, switch) = (behind.clone(), switch.clone());
                // By itself, for one that was stopped keeps no other one out.
                std::thread::spawn(move || {
                    // A client that was killed is no trouble of the proxy's.
                    let _ = stream.map(|stream| relay(stream, &behind, &switch));
                });
            }
        });
        Ok(Self { address: own, over, thread: Some(thread) })
    }
}

/// One request, and its answer unless its sender is dead by then.
fn relay(mut client: TcpStream, behind: &str, switch: &Switch) -> Result<()> {
    let Some(message) = Message::read(&mut client)? else { return Ok(()) };
    let act = switch.count(&message.what())?;
    if switch.strike(act, Side::Before)? {
        return Ok(());
    }
    let answer = message.forward(behind)?;
    if !switch.strike(act, Side::After)? {
        client.write_all(&answer)?;
    }
    Ok(())
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it up.
        let _ = TcpStream::connect(&self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
