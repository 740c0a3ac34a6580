using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Weft.Testing;

/// <summary>
/// Clients of several kinds that use a proxy all the time, and the servers behind it. Whatever a client does not get as it must is a failure; nothing is tried again but what the protocol itself allows
/// (a request that a GOAWAY says was not looked at).
/// </summary>
public sealed class MixedLoad : IAsyncDisposable
{
    // Between two requests of a client: two cores have to carry clients, proxy and servers, and whatever else the machine does.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    // Streams and sockets live for a second: over several changes, and well within the time of a drain.
    private const int Pieces = 10;
    private static readonly TimeSpan Piece = TimeSpan.FromMilliseconds(100);

    private readonly WebApplication _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _done = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly ConcurrentDictionary<string, bool> _upstreamConnections = new();
    private Task[] _clients = [];
    private bool _mayBeRefused;

    private MixedLoad(WebApplication server) => _server = server;

    /// <summary>Of the servers: HTTP/1.1 with WebSocket, and HTTP/2 in the clear.</summary>
    public int Http1Port => new Uri(_server.Urls.First()).Port;

    public int Http2Port => new Uri(_server.Urls.Last()).Port;

    /// <summary>What was answered, by kind.</summary>
    public IReadOnlyDictionary<string, int> Done => _done;

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Connections that the servers have seen so far.</summary>
    public int UpstreamConnections => _upstreamConnections.Count;

    /// <summary>HTTP/1.1 connections whose client was told that they would be closed.</summary>
    public int Told => _done.GetValueOrDefault("told");

    public static async Task<MixedLoad> StartServersAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var server = builder.Build();
        var load = new MixedLoad(server);
        server.UseWebSockets();
        server.Run(load.ServeAsync);
        await server.StartAsync();
        return load;
    }

    /// <summary>All kinds begin, and go on until <see cref="StopAsync"/>.</summary>
    public void Begin(IPEndPoint proxy)
    {
        Func<Task>[] kinds =
        [
            () => KeepAliveAsync(proxy), () => KeepAliveAsync(proxy), () => KeepAliveAsync(proxy), () => EachItsOwnAsync(proxy),
            () => Http2Async(proxy), () => Http2Async(proxy), () => GrpcAsync(proxy), () => StreamAsync(proxy), () => StreamAsync(proxy), () => WebSocketAsync(proxy), () => WebSocketAsync(proxy),
        ];
        _clients = [.. kinds.Select(Task.Run)];
    }

    /// <summary>Each kind has got this many more answers.</summary>
    public async Task ProgressAsync(int answers)
    {
        string[] kinds = ["http/1.1 keep-alive", "http/1.1 new connection", "http/2", "grpc", "stream", "websocket"];
        var before = kinds.ToDictionary(kind => kind, kind => _done.GetValueOrDefault(kind));
        await Eventually.TrueAsync(() => !_failures.IsEmpty || kinds.All(kind => _done.GetValueOrDefault(kind) >= before[kind] + answers), state: ToString);
    }

    /// <summary>From here on the proxy ends: a client that finds nobody stops.</summary>
    public void ExpectEnd() => Volatile.Write(ref _mayBeRefused, true);

    /// <summary>Every client ends what it is at.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Eventually.EndsAsync(Task.WhenAll(_clients));
    }

    public override string ToString() =>
        string.Join(", ", _done.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}")) + string.Concat(_failures.Take(20).Select(failure => $"\n  {failure}"));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        _upstreamConnections.TryAdd(context.Connection.Id, true);
        switch (context.Request.Path.Value)
        {
            case "/socket":
                await EchoAsync(await context.WebSockets.AcceptWebSocketAsync());
                break;
            case "/grpc":
                var message = new MemoryStream();
                await context.Request.Body.CopyToAsync(message);
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.WriteAsync(message.ToArray());
                context.Response.AppendTrailer("grpc-status", "0");
                break;
            case "/stream":
                for (var i = 0; i < Pieces; i++)
                {
                    await context.Response.WriteAsync($"piece {i}\n");
                    await context.Response.Body.FlushAsync();
                    await Task.Delay(Piece, TimeProvider.System);
                }

                break;
            default:
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.ContentLength = 4;
                await context.Response.WriteAsync("fine");
                break;
        }
    }

    private static async Task EchoAsync(WebSocket socket)
    {
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } got)
            await socket.SendAsync(buffer.AsMemory(0, got.Count), got.MessageType, got.EndOfMessage, CancellationToken.None);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    // Written out by hand: .NET's client sends a request again when it finds its connection closed, and this is to notice that.
    private async Task KeepAliveAsync(IPEndPoint proxy)
    {
        Socket? socket = null;
        await LoopAsync("http/1.1 keep-alive", async () =>
        {
            socket ??= await ConnectAsync(proxy);
            string answer;
            try
            {
                answer = await AskAsync(socket, "POST /plain HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
            }
            catch
            {
                socket.Dispose();
                socket = null;
                throw;
            }

            if (!answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) || !answer.EndsWith("\r\n\r\nfine", StringComparison.Ordinal))
                throw new InvalidDataException(answer);
            if (answer.Contains("connection: close\r\n", StringComparison.OrdinalIgnoreCase))
            {
                Count("told");
                socket.Dispose();
                socket = null;
            }
        });
        socket?.Dispose();
    }

    private Task EachItsOwnAsync(IPEndPoint proxy) => LoopAsync("http/1.1 new connection", async () =>
    {
        using var socket = await ConnectAsync(proxy);
        var answer = await AskAsync(socket, "GET /plain HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        if (!answer.EndsWith("\r\n\r\nfine", StringComparison.Ordinal))
            throw new InvalidDataException(answer);
    });

    private async Task Http2Async(IPEndPoint proxy)
    {
        using var client = Client();
        await LoopAsync("http/2", async () =>
        {
            using var request = Request(HttpMethod.Post, proxy, "/plain");
            request.Content = new ByteArrayContent(new byte[1000]);
            using var response = await client.SendAsync(request);
            if (await response.Content.ReadAsStringAsync() is var text && text != "fine")
                throw new InvalidDataException($"{response.StatusCode}: {text}");
        });
    }

    private async Task GrpcAsync(IPEndPoint proxy)
    {
        using var client = Client();
        await LoopAsync("grpc", async () =>
        {
            var message = new byte[5 + 100];
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 100);
            using var request = Request(HttpMethod.Post, proxy, "/grpc");
            request.Headers.TryAddWithoutValidation("te", "trailers");
            request.Content = new ByteArrayContent(message);
            request.Content.Headers.ContentType = new("application/grpc");
            using var response = await client.SendAsync(request);
            var body = await response.Content.ReadAsByteArrayAsync();
            if (!body.AsSpan().SequenceEqual(message) || !response.TrailingHeaders.TryGetValues("grpc-status", out var status) || status.Single() != "0")
                throw new InvalidDataException($"{response.StatusCode}, {body.Length} bytes, {response.TrailingHeaders}");
        });
    }

    private async Task StreamAsync(IPEndPoint proxy)
    {
        using var client = Client();
        await LoopAsync("stream", async () =>
        {
            using var request = Request(HttpMethod.Get, proxy, "/stream");
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var text = await response.Content.ReadAsStringAsync();
            if (text.Count(c => c == '\n') != Pieces)
                throw new InvalidDataException($"{response.StatusCode}: {text}");
        });
    }

    private Task WebSocketAsync(IPEndPoint proxy) => LoopAsync("websocket", async () =>
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{proxy}/socket"), CancellationToken.None);
        var buffer = new byte[1024];
        for (var i = 0; i < Pieces; i++)
        {
            var sent = Encoding.ASCII.GetBytes($"message {i}");
            await socket.SendAsync(sent, WebSocketMessageType.Binary, true, CancellationToken.None);
            var got = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (!buffer.AsSpan(0, got.Count).SequenceEqual(sent))
                throw new InvalidDataException($"{got.MessageType}, {got.Count} bytes");
            await Task.Delay(Piece, TimeProvider.System);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    });

    private async Task LoopAsync(string kind, Func<Task> once)
    {
        while (!_stop.IsCancellationRequested)
        {
            var mayBeRefused = Volatile.Read(ref _mayBeRefused);
            try
            {
                await once();
                Count(kind);
                await Task.Delay(Pause, TimeProvider.System);
            }
            catch (Exception refused) when (Volatile.Read(ref _mayBeRefused) && IsRefusal(refused, mayBeRefused))
            {
                return;
            }
            catch (Exception failed)
            {
                var message = $"{kind}: {failed.GetType().Name}: {failed.Message}";
                for (var inner = failed.InnerException; inner is not null; inner = inner.InnerException)
                    message += $" <- {inner.GetType().Name}: {inner.Message}";
                _failures.Enqueue(message);
            }
        }
    }

    /// <param name="reset">The attempt began when the end had: a socket that is closed resets what its queue got in its last moment.</param>
    private static bool IsRefusal(Exception failed, bool reset)
    {
        for (var inner = failed; inner is not null; inner = inner.InnerException!)
        {
            if (inner is SocketException { SocketErrorCode: SocketError.ConnectionRefused } || (reset && inner is SocketException { SocketErrorCode: SocketError.ConnectionReset }))
                return true;
        }

        return false;
    }

    private static HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(60) };

    private static HttpRequestMessage Request(HttpMethod method, IPEndPoint proxy, string path) =>
        new(method, new Uri($"http://{proxy}{path}")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private static async Task<Socket> ConnectAsync(IPEndPoint proxy)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(proxy);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // The body has four bytes.
    private static async Task<string> AskAsync(Socket socket, string request)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        var answer = "";
        var buffer = new byte[4096];
        while (answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) is var end && (end < 0 || answer.Length < end + 8))
        {
            var got = await socket.ReceiveAsync(buffer);
            if (got == 0)
                throw new InvalidDataException($"closed after \"{answer}\"");
            answer += Encoding.ASCII.GetString(buffer, 0, got);
        }

        return answer;
    }

    private void Count(string what) => _done.AddOrUpdate(what, 1, (_, count) => count + 1);
}
