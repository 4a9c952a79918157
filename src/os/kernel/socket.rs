//! Sockets that are bound before they are connected, which the standard library cannot make.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::done;

/// Returns a TCP socket that is bound to this address and not connected yet. A connection of it fails after `patience`.
pub(crate) fn bound_socket(source: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let family = if source.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let time = libc::timeval {
        tv_sec: patience.as_secs().cast_signed(),
        tv_usec: patience.subsec_micros().into(),
    };
    // SAFETY: nobody else owns the new descriptor; the option is read from a live value of its type and length.
    let socket = unsafe {
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(done(libc::socket(family, kind, 0))?);
        let length = size_of_val(&time) as libc::socklen_t;
        let (level, option) = (libc::SOL_SOCKET, libc::SO_SNDTIMEO);
        let value = (&raw const time).cast();
        done(libc::setsockopt(socket.as_raw_fd(), level, option, value, length))?;
        socket
    };
    with_address(source, |address, length| {
        // SAFETY: the address is live and has this length.
        done(unsafe { libc::bind(socket.as_raw_fd(), address, length) })
    })?;
    Ok(TcpStream::from(socket))
}

/// Connects a socket.
pub(crate) fn connect(socket: &TcpStream, to: SocketAddr) -> io::Result<()> {
    with_address(to, |address, length| {
        // SAFETY: the address is live and has this length.
        done(unsafe { libc::connect(socket.as_raw_fd(), address, length) })
    })
    .map(drop)
}

/// Calls `act` with an address as the kernel wants it.
fn with_address<T>(
    address: SocketAddr,
    act: impl FnOnce(*const libc::sockaddr, libc::socklen_t) -> T,
) -> T {
    match address {
        SocketAddr::V4(v4) => {
            let address = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            act((&raw const address).cast(), size_of_val(&address) as libc::socklen_t)
        }
        SocketAddr::V6(v6) => {
            let address = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            act((&raw const address).cast(), size_of_val(&address) as libc::socklen_t)
        }
    }
}
