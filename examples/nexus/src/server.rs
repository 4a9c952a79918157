//! The service on a socket: a line `ROUTE NUMBER` comes in, the length of a reply and the reply go out.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::reply::Reply;
use crate::route::Service;

/// Serves whoever connects, for ever.
///
/// # Errors
/// If no more connections can be taken.
pub async fn serve(listener: TcpListener, service: Service) -> io::Result<()> {
    let service = Arc::new(service);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = Arc::clone(&service);
        // A connection that broke concerns nobody else.
        tokio::spawn(async move { answer(stream, &service).await.ok() });
    }
}

async fn answer(mut stream: TcpStream, service: &Service) -> io::Result<()> {
    let (input, mut output) = stream.split();
    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await? {
        let (route, number) =
            line.split_once(' ').ok_or_else(|| wrong("a line is `ROUTE NUMBER`"))?;
        let route = route.parse().map_err(wrong)?;
        let answer = service.ask(route, number.parse().map_err(wrong)?).await.map_err(wrong)?;
        let bytes = Reply::from(&*answer).encoded().map_err(io::Error::other)?;
        output.write_u32(bytes.len() as u32).await?;
        output.write_all(&bytes).await?;
    }
    Ok(())
}

fn wrong(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use rkyv::util::AlignedVec;
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::embedding::Embeddings;
    use crate::reply::Received;
    use crate::search::Index;

    #[test]
    fn a_reply_comes_over_the_socket() {
        let Embeddings { vectors, queries } = Embeddings::generated(500);
        let runtime = crate::runtime::tuned().unwrap();
        let nearest = Index::new(vectors.clone()).exact(&queries[3], 1)[0].id;
        let service = Service::start(Index::new(vectors), queries, runtime.handle());
        let bytes = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(serve(listener, service));
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"full_pipeline 3\n").await.unwrap();
            let length = stream.read_u32().await.unwrap();
            let mut bytes = AlignedVec::new();
            bytes.resize(length as usize, 0);
            stream.read_exact(&mut bytes).await.unwrap();
            bytes
        });
        let received = Received::new(bytes).unwrap();
        assert_eq!(received.reply().hits[0].id, nearest);
    }
}
