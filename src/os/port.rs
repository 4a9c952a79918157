//! Whether a port of the loopback interface accepts connections.
//!
//! The kernel chooses the source port of a connection among tens of thousands, and may choose the port that is asked
//! for. If nobody listens there, such a connection connects to itself, which looks like an answer; and the program that
//! wants to listen on the port finds it taken. So where that is possible, the source is bound to another port first.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

#[cfg(target_os = "linux")]
use super::kernel;

/// The longest time for one connection. A connection is refused at once if nobody listens, but a full backlog would
/// block the call for minutes.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whether a connection to the port is accepted, by IPv4 or IPv6.
pub(crate) fn accepts(port: u16) -> bool {
    let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let mut streams = addresses.map(|address| connect(SocketAddr::new(address, port))).into_iter();
    streams.any(|stream| stream.is_ok_and(|stream| is_answer(&stream)))
}

#[cfg(target_os = "linux")]
fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let free = SocketAddr::new(to.ip(), 0);
    let mut socket = kernel::bound_socket(free, PATIENCE)?;
    if socket.local_addr()?.port() == to.port() {
        // The first socket still has the port, so the second one has another.
        socket = kernel::bound_socket(free, PATIENCE)?;
    }
    kernel::connect(&socket, to)?;
    Ok(socket)
}

#[cfg(not(target_os = "linux"))]
fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&to, PATIENCE)
}

/// Whether the other end of a connection is not the connection itself.
fn is_answer(stream: &TcpStream) -> bool {
    let ends = stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?)));
    ends.is_ok_and(|(local, peer)| local != peer)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connection_to_itself_is_no_answer() {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let socket = kernel::bound_socket(free, PATIENCE).unwrap();
        kernel::connect(&socket, socket.local_addr().unwrap()).unwrap();
        assert!(!is_answer(&socket));
    }

    #[test]
    fn only_a_listener_answers() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A machine may lack IPv6.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().unwrap().port();
            assert!(accepts(port), "{address}");
            drop(listener);
            assert!(!accepts(port), "{address}");
            // The probe has not left the port in use.
            TcpListener::bind(address.replace(":0", &format!(":{port}")).as_str()).unwrap();
        }
    }
}
