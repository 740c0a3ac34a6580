using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Weft.Testing;

/// <summary>
/// A server of prepared answers behind an <see cref="HttpClient"/>: for what a real server does not do on demand (broken streams, 410, 429).
/// Requests are answered in order; each is kept with its body.
/// </summary>
public sealed class ScriptedHandler : HttpMessageHandler
{
    private readonly ConcurrentQueue<Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>> _answers = new();
    private readonly ConcurrentQueue<Request> _requests = new();

    public sealed record Request(string Method, string PathAndQuery, string Body, string? ContentType, string? Accept);

    public IReadOnlyList<Request> Requests => [.. _requests];

    public ScriptedHandler Answer(HttpStatusCode code, string json, params (string Name, string Value)[] headers) =>
        Answer((_, _) =>
        {
            var response = new HttpResponseMessage(code) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
            foreach (var (name, value) in headers)
                response.Headers.TryAddWithoutValidation(name, value);
            return Task.FromResult(response);
        });

    public ScriptedHandler Answer(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer)
    {
        _answers.Enqueue(answer);
        return this;
    }

    /// <summary>Answers with a stream that the test writes to and ends.</summary>
    public StreamOfLines AnswerStream()
    {
        var stream = new StreamOfLines();
        Answer((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(stream.Reader) }));
        return stream;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        _requests.Enqueue(new Request(
            request.Method.Method, request.RequestUri!.PathAndQuery, body,
            request.Content?.Headers.ContentType?.ToString(), request.Headers.Accept.ToString()));
        if (!_answers.TryDequeue(out var answer))
        {
            // No answer prepared: the request hangs, as a server that is busy; it ends with the caller's cancellation.
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidOperationException("unreachable");
        }

        var response = await answer(request, cancellationToken);
        response.RequestMessage = request;
        return response;
    }
}

/// <summary>One side of a response body: the test writes lines, the client reads them as they come.</summary>
public sealed class StreamOfLines
{
    private readonly System.IO.Pipelines.Pipe _pipe = new();

    public Stream Reader => _pipe.Reader.AsStream();

    public async Task WriteAsync(string line)
    {
        await _pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
    }

    public void End() => _pipe.Writer.Complete();

    public void Break() => _pipe.Writer.Complete(new IOException("The connection was reset."));
}
