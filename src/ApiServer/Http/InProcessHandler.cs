using System.IO.Pipelines;
using System.Net;
using System.Net.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Http;

/// <summary>
/// Sends requests of this process through the pipeline without a socket. The same stages run; the identity comes from a feature that only code can set.
/// The answer's body is a pipe: a watch streams, a reader that stops makes the server wait, and giving up on either side is seen on the other.
/// </summary>
internal sealed class InProcessHandler(ApiPipeline pipeline, UserInfo user, CancellationToken stopping) : HttpMessageHandler
{
    // As Kestrel's MaxResponseBufferSize: how far the server may be ahead of the reader.
    private static readonly PipeOptions BodyPipe = new(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        var exchange = new Exchange(BodyPipe, stopping);
        var context = await BuildAsync(message, exchange, cancellationToken);
        using var giveUp = cancellationToken.UnsafeRegister(static exchange => ((Exchange)exchange!).Abort(), exchange);

        var served = ServeAsync(context, exchange);
        await Task.WhenAny(exchange.Started, served);
        cancellationToken.ThrowIfCancellationRequested();
        return exchange.Answer(message);
    }

    private async Task ServeAsync(HttpContext context, Exchange exchange)
    {
        await Task.Yield(); // the caller waits for the first byte, not for the last
        try
        {
            await pipeline.HandleAsync(context);
            await exchange.CompleteAsync(null);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            await exchange.CompleteAsync(e);
        }
    }

    private async ValueTask<HttpContext> BuildAsync(HttpRequestMessage message, Exchange exchange, CancellationToken cancellationToken)
    {
        var uri = message.RequestUri ?? throw new InvalidOperationException("a request needs a URI");
        var request = new HttpRequestFeature
        {
            Method = message.Method.Method,
            Scheme = uri.Scheme,
            Protocol = HttpProtocol.Http11,
            Path = Uri.UnescapeDataString(uri.AbsolutePath),
            QueryString = uri.Query,
            RawTarget = uri.PathAndQuery,
        };
        foreach (var (name, values) in message.Headers)
            request.Headers[name] = new StringValues([.. values]);
        if (message.Content is { } content)
        {
            foreach (var (name, values) in content.Headers)
                request.Headers[name] = new StringValues([.. values]);
            request.Headers.ContentLength = content.Headers.ContentLength;
            request.Body = await content.ReadAsStreamAsync(cancellationToken);
        }

        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(request);
        features.Set<IHttpResponseFeature>(exchange);
        features.Set<IHttpResponseBodyFeature>(exchange);
        features.Set<IHttpRequestLifetimeFeature>(exchange);
        features.Set(new InProcessCaller(user));
        features.Set<IHttpRequestBodyDetectionFeature>(new HasBody(message.Content is not null));
        return new DefaultHttpContext(features);
    }

    private sealed record HasBody(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    /// <summary>One request and its answer: what Kestrel's connection is to a request over a socket.</summary>
    private sealed class Exchange : IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestLifetimeFeature
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _aborted;
        private readonly Pipe _pipe;
        private readonly StartingWriter _writer;
        private volatile bool _broken;
        private List<(Func<object, Task> Callback, object State)>? _completed;

        public Exchange(PipeOptions options, CancellationToken stopping)
        {
            _aborted = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            RequestAborted = _aborted.Token;
            _pipe = new Pipe(options);
            _writer = new StartingWriter(_pipe.Writer, this);
            Stream = _writer.AsStream(leaveOpen: true);
        }

        public Task Started => _started.Task;
        public int StatusCode { get; set; } = 200;
        public string? ReasonPhrase { get; set; }
        public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();
        public Stream Body { get => Stream; set => throw new NotSupportedException("the body is a pipe"); }
        public bool HasStarted => _started.Task.IsCompleted;
        public Stream Stream { get; }
        public PipeWriter Writer => _writer;
        public CancellationToken RequestAborted { get; set; }

        public void OnStarting(Func<object, Task> callback, object state) => throw new NotSupportedException("nothing in the pipeline hooks the start of an answer");
        public void OnCompleted(Func<object, Task> callback, object state) => (_completed ??= []).Add((callback, state));
        public void DisableBuffering() { }

        public Task StartAsync(CancellationToken cancellationToken = default)
        {
            _started.TrySetResult();
            return Task.CompletedTask;
        }

        public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            await SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

        public Task CompleteAsync() => CompleteAsync(null).AsTask();

        public async ValueTask CompleteAsync(Exception? error)
        {
            _started.TrySetResult();
            await _pipe.Writer.CompleteAsync(error ?? (_broken ? new IOException("the server ended the answer half-way") : null));
            foreach (var (callback, state) in _completed ?? [])
                await callback(state);
        }

        // The pipe is the serving side's: it is told, and closes it itself.
        public void Abort()
        {
            _broken = true;
            _aborted.Cancel();
            _started.TrySetResult();
        }

        public HttpResponseMessage Answer(HttpRequestMessage message)
        {
            var answer = new HttpResponseMessage((HttpStatusCode)StatusCode) { RequestMessage = message, Version = HttpVersion.Version11 };
            answer.Content = new StreamContent(new AnswerStream(_pipe.Reader, Gone));
            foreach (var (name, values) in Headers)
            {
                if (!answer.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                    answer.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
            return answer;
        }

        // The reader went away before the end: the server's side sees an aborted request, as it would on a closed connection.
        private void Gone() => _aborted.Cancel();
    }

    /// <summary>The first flush sends the status and the headers.</summary>
    private sealed class StartingWriter(PipeWriter inner, Exchange exchange) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;
        public override long UnflushedBytes => inner.UnflushedBytes;
        public override void Advance(int bytes) => inner.Advance(bytes);
        public override void CancelPendingFlush() => inner.CancelPendingFlush();
        public override void Complete(Exception? exception = null) => inner.Complete(exception);
        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);
        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            _ = exchange.StartAsync(cancellationToken);
            return inner.FlushAsync(cancellationToken);
        }
    }

    private sealed class AnswerStream(PipeReader reader, Action gone) : Stream
    {
        private readonly Stream _inner = reader.AsStream(leaveOpen: true);
        private bool _ended;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await _inner.ReadAsync(buffer, cancellationToken);
            _ended |= read == 0 && buffer.Length > 0;
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                reader.Complete();
                if (!_ended)
                    gone();
            }
            base.Dispose(disposing);
        }
    }
}
