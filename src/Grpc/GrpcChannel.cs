using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Google.Protobuf;

namespace Weft.Grpc;

/// <summary>
/// A gRPC client over HTTP/2 without TLS, to a unix socket or a TCP address. The connection is made at the first call and again after it broke;
/// a call that was under way then fails with <see cref="GrpcStatus.Unavailable"/>, and whoever made it decides whether it may be repeated.
/// </summary>
public sealed class GrpcChannel : IDisposable
{
    private static readonly MediaTypeHeaderValue ContentType = new("application/grpc");

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly GrpcLimits _limits;
    private readonly string _target;

    private GrpcChannel(string target, Uri address, Func<CancellationToken, ValueTask<Stream>>? connect, TimeProvider time, GrpcLimits limits)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            // A server allows 100 streams or so on one connection; calls beyond them must not wait for a long one.
            EnableMultipleHttp2Connections = true,
        };
        if (connect is not null)
            handler.ConnectCallback = (_, token) => connect(token);
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        (_target, _time, _limits) = (target, time, limits);
    }

    public static GrpcChannel OnUnixSocket(string path, TimeProvider time, GrpcLimits? limits = null) =>
        new(path, new Uri("http://localhost"), async token =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }, time, limits ?? GrpcLimits.Default);

    public static GrpcChannel OnAddress(Uri address, TimeProvider time, GrpcLimits? limits = null) =>
        new(address.Authority, address, null, time, limits ?? GrpcLimits.Default);

    /// <exception cref="GrpcException">The server's status, or what was wrong with its answer or the connection.</exception>
    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions options, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : class, IMessage<TResponse>
    {
        TResponse? answer = null;
        await foreach (var message in CallAsync(method, new ByteArrayContent(Frames.Encode(request)), options, cancellationToken))
        {
            if (answer is not null)
                throw new GrpcException(GrpcStatus.Internal, $"{method.Path} answered more than one message");
            answer = message;
        }
        return answer ?? throw new GrpcException(GrpcStatus.Internal, $"{method.Path} answered OK without a message");
    }

    /// <summary>Messages as they come, until the server ends the call. Ends quietly only with status OK.</summary>
    /// <exception cref="GrpcException">As for a unary call.</exception>
    public IAsyncEnumerable<TResponse> ServerStreamAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions options, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : class, IMessage<TResponse> => CallAsync(method, new ByteArrayContent(Frames.Encode(request)), options, cancellationToken);

    /// <summary>Both sides send as they like: requests are taken from <paramref name="requests"/> while answers come. An end of the requests half-closes.</summary>
    /// <exception cref="GrpcException">As for a unary call.</exception>
    public IAsyncEnumerable<TResponse> DuplexAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests, GrpcCallOptions options, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : class, IMessage<TResponse> => CallAsync(method, new StreamingContent<TRequest>(requests), options, cancellationToken);

    private async IAsyncEnumerable<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, HttpContent content, GrpcCallOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : class, IMessage<TResponse>
    {
        using var deadline = options.Timeout is { } timeout ? new CancellationTokenSource(timeout, _time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        using var request = Request(method.Path, content, options);
        using var response = await GuardAsync(() => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token), method.Path, deadline.Token, cancellationToken);
        CheckHead(response);
        await using var body = await GuardAsync(() => response.Content.ReadAsStreamAsync(either.Token), method.Path, deadline.Token, cancellationToken);
        while (await GuardAsync(() => Frames.ReadAsync(body, method.Parser, _limits, either.Token), method.Path, deadline.Token, cancellationToken) is { } message)
            yield return message;
        CheckStatus(response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers);
    }

    private static HttpRequestMessage Request(string path, HttpContent content, GrpcCallOptions options)
    {
        content.Headers.ContentType = ContentType;
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (options.Timeout is { } timeout)
            request.Headers.Add("grpc-timeout", Deadlines.Format(timeout));
        foreach (var (name, value) in options.Metadata)
            request.Headers.Add(name, value);
        return request;
    }

    private static void CheckHead(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
            throw new GrpcException(StatusRules.FromHttp(response.StatusCode), $"the server answered HTTP {(int)response.StatusCode}");
        var type = response.Content.Headers.ContentType?.MediaType ?? "";
        if (type != "application/grpc" && !type.StartsWith("application/grpc+", StringComparison.Ordinal))
            throw new GrpcException(GrpcStatus.Unknown, $"the server answered content type '{type}', which is not gRPC");
    }

    private static void CheckStatus(HttpResponseHeaders trailers)
    {
        if (!trailers.TryGetValues("grpc-status", out var values))
            throw new GrpcException(GrpcStatus.Unknown, "the answer ended without a status");
        var text = values.First();
        var status = int.TryParse(text, out var number) && Enum.IsDefined((GrpcStatus)number) ? (GrpcStatus)number : GrpcStatus.Unknown;
        if (status == GrpcStatus.Ok)
            return;
        var message = trailers.TryGetValues("grpc-message", out var messages) ? PercentEncoding.Decode(messages.First()) : $"status {text} without a message";
        throw new GrpcException(status, message)
        {
            Trailers = [.. trailers.Where(h => h.Key is not ("grpc-status" or "grpc-message")).SelectMany(h => h.Value, (h, v) => KeyValuePair.Create(h.Key, v))],
        };
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work, string path, CancellationToken deadline, CancellationToken caller)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException or HttpProtocolException)
        {
            caller.ThrowIfCancellationRequested();
            if (deadline.IsCancellationRequested)
                throw new GrpcException(GrpcStatus.DeadlineExceeded, $"{path} did not answer in time", e);
            throw Translate(e);
        }
    }

    private GrpcException Translate(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                // A unix socket that is not there reads as "cannot assign requested address" in .NET.
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return new(GrpcStatus.Unavailable, $"nobody listens at {_target}: there is no such socket", error);
                case SocketException socket:
                    return new(GrpcStatus.Unavailable, $"no connection to {_target}: {socket.Message}", error);
                case HttpProtocolException protocol when protocol.ErrorCode != 0:
                    return new(StatusRules.FromReset(protocol.ErrorCode), $"{_target} ended the call: {protocol.Message}", error);
            }
        }
        return new(GrpcStatus.Unavailable, $"the connection to {_target} broke: {error.Message}", error);
    }

    public void Dispose() => _http.Dispose();

    private sealed class StreamingContent<TRequest>(IAsyncEnumerable<TRequest> requests) : HttpContent
        where TRequest : IMessage
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken);   // the headers go out before the first message is there
            await foreach (var request in requests.WithCancellation(cancellationToken))
            {
                await stream.WriteAsync(Frames.Encode(request), cancellationToken);
                await stream.FlushAsync(cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
