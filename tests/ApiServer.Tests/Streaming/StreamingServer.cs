using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Schemas;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Streaming;
using Weft.ApiServer.Streaming.Spdy;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Streaming;

/// <summary>The real API server with one pod, whose node is a <see cref="FakePodStreams"/>.</summary>
internal sealed class StreamingServer : IAsyncDisposable
{
    private readonly TestServer _server;

    private StreamingServer(TestServer server, FakePodStreams pod) => (_server, Pod) = (server, pod);

    public FakePodStreams Pod { get; }
    public TestServer Server => _server;
    public Uri Address => _server.Host.Address;

    public static async Task<StreamingServer> StartAsync(TimeProvider? time = null, IAuthorizer? authorizer = null)
    {
        var pod = new FakePodStreams();
        var catalog = new FixedCatalog(BuiltInResources.All(new SchemaReader()));
        var server = await TestServer.StartAsync(parts: parts => parts with
        {
            Catalog = catalog,
            Authorizer = authorizer ?? parts.Authorizer,
            Paths = [new DiscoveryHandler(catalog)],
            Connects = [new StreamingHandler(pod, time ?? TimeProvider.System, NullLoggerFactory.Instance)],
        });
        (await server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        (await server.PostAsync("/api/v1/namespaces/default/pods",
            """{"metadata":{"name":"web"},"spec":{"nodeName":"n1","containers":[{"name":"main","image":"x","stdin":true,"tty":false}]}}""")).Expect(201);
        (await server.PatchAsync("/api/v1/namespaces/default/pods/web/status", "merge-patch+json",
            """{"status":{"phase":"Running","containerStatuses":[{"name":"main","ready":true,"restartCount":0,"image":"x","imageID":"x","state":{"running":{}}}]}}""")).Expect(200);
        return new StreamingServer(server, pod);
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    public async Task<(int Code, string Head, NetworkStream Stream)> RequestAsync(string method, string pathAndQuery, params string[] headers)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", Address.Port);
        var stream = new NetworkStream(socket, ownsSocket: true);
        var request = $"{method} {pathAndQuery} HTTP/1.1\r\nHost: localhost\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        // Byte by byte: what follows the head belongs to the next protocol.
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await Eventually.EndsAsync(stream.ReadAsync(one).AsTask()) == 0)
                throw new IOException("the server closed the connection: " + head);
            head.Append((char)one[0]);
        }

        return (int.Parse(head.ToString().Split(' ')[1]), head.ToString(), stream);
    }

    public async Task<SpdyClient> SpdyAsync(string subresource, string query, params string[] protocols)
    {
        var (code, head, stream) = await RequestAsync(
            "POST", $"/api/v1/namespaces/default/pods/web/{subresource}?{query}",
            ["Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0", .. protocols.Select(protocol => "X-Stream-Protocol-Version: " + protocol)]);
        Assert.True(code == 101, head);
        return new SpdyClient(head, stream);
    }
}

/// <summary>kubectl's end of a SPDY session.</summary>
internal sealed class SpdyClient : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private readonly Task _running;

    public SpdyClient(string head, NetworkStream stream)
    {
        Head = head;
        _stream = stream;
        Connection = new SpdyConnection(stream, TimeProvider.System, isClient: true);
        _running = Connection.RunAsync(CancellationToken.None);
    }

    public string Head { get; }
    public SpdyConnection Connection { get; }
    public Task Running => _running;

    public Task<SpdyStream> OpenAsync(params (string Name, string Value)[] headers) =>
        Connection.OpenAsync(new SpdyHeaders(headers.ToDictionary(one => one.Name, one => one.Value)), CancellationToken.None);

    public Task<SpdyStream> OpenAsync(string streamType) => OpenAsync(("streamtype", streamType));

    public static async Task<string> ReadAsync(Stream stream) =>
        await Eventually.EndsAsync(new StreamReader(stream, Encoding.UTF8).ReadToEndAsync());

    /// <summary>The connection is cut without a goodbye.</summary>
    public void Vanish() => _stream.Socket.Close(0);

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await Connection.DisposeAsync();
        await Eventually.EndsAsync(_running);
    }
}
