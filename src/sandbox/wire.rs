//! Connection behaviour that hyper does not support.
//!
//! The container answers an invalid or too long request line with 400 and a page (T3, T6), while hyper sends an empty
//! body and other codes. Also, a reply can be truncated as a fault.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::Answer;
use super::pending_query::Rest;

/// A connection that replaces hyper's empty error replies by the container's page.
#[derive(Debug)]
pub(super) struct Wire<T> {
    inner: T,
    /// The rest of a page to write.
    pending: Vec<u8>,
}

impl<T> Wire<T> {
    pub(super) fn new(inner: T) -> Wire<T> {
        Wire { inner, pending: Vec::new() }
    }
}

/// Whether these bytes are an error reply of hyper: the node's replies with these codes have bodies.
fn is_refusal(bytes: &[u8]) -> bool {
    let codes: [&[u8]; 3] = [b"HTTP/1.1 400 ", b"HTTP/1.1 414 ", b"HTTP/1.1 431 "];
    codes.iter().any(|code| bytes.starts_with(code))
        && bytes.windows(19).any(|window| window.eq_ignore_ascii_case(b"content-length: 0\r\n"))
}

fn refusal() -> Vec<u8> {
    let body = Answer::page(400).body;
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/html;charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

impl<T: AsyncWrite + Unpin> Wire<T> {
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(context))?;
        if is_refusal(bytes) {
            self.pending = refusal();
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// The bytes that hyper gets at once; it copies them into a buffer.
const FRAME: usize = 64 << 10;

/// The body of a reply, which may be shorter than its announced length.
#[derive(Debug)]
pub(super) struct ReplyBody {
    bytes: Bytes,
    length: u64,
    is_cut: bool,
    /// Further pieces of a long reply, whose length is not announced.
    rest: Option<Rest>,
    /// Whether hyper could flush the bytes before the connection is closed.
    is_sent: bool,
}

impl ReplyBody {
    /// The whole body, or its first piece and the rest.
    pub(super) fn whole(bytes: Vec<u8>, rest: Option<Rest>) -> ReplyBody {
        ReplyBody { length: bytes.len() as u64, bytes: bytes.into(), is_cut: false, rest, is_sent: false }
    }

    /// The first half of the body, after which the connection is closed.
    pub(super) fn half(mut bytes: Vec<u8>) -> ReplyBody {
        let length = bytes.len() as u64;
        bytes.truncate(bytes.len() / 2);
        ReplyBody { length, bytes: bytes.into(), is_cut: true, rest: None, is_sent: false }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.bytes.is_empty() {
            let length = self.bytes.len().min(FRAME);
            return Poll::Ready(Some(Ok(Frame::data(self.bytes.split_to(length)))));
        }
        if let Some(rest) = &mut self.rest {
            match ready!(rest.poll_recv(context)) {
                Some(Ok(piece)) => {
                    self.bytes = piece;
                    return self.poll_frame(context);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.rest = None,
            }
        }
        if self.is_cut && !self.is_sent {
            // An error now would discard hyper's buffer; a pending body makes it flush.
            self.is_sent = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.is_cut.then(|| Err(io::ErrorKind::ConnectionAborted.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && !self.is_cut && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_some() { SizeHint::default() } else { SizeHint::with_exact(self.length) }
    }
}
