using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>docs/proxy.md, the configurations about other protocols than plain HTTP.</summary>
public sealed class DocumentedProtocolTests : IDisposable
{
    private readonly TempDir _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Example_9_passes_connections_by_port_tls_by_name_and_datagrams()
    {
        using var certificates = new Certificates(_directory);
        await using var a = await Endpoint.StartAsync("a", HttpProtocols.Http1AndHttp2, certificates.Issue("a", "a.example"));
        await using var b = await Endpoint.StartAsync("b", HttpProtocols.Http1AndHttp2, certificates.Issue("b", "x.b.example"));
        using var database = new TcpListener(IPAddress.Loopback, 0);
        database.Start();
        using var names = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await using var proxy = await ProxyExample.StartAsync(9, _directory, new Dictionary<string, string>
        {
            ["10.0.0.30:5432"] = database.LocalEndpoint.ToString()!, ["10.0.0.41:443"] = a.Address, ["10.0.0.42:443"] = b.Address, ["10.0.0.53:53"] = names.Client.LocalEndPoint!.ToString()!,
        });

        foreach (var (host, answer) in new[] { ("a.example", "a GET /\n"), ("x.b.example", "b GET /\n") })
        {
            var seen = await Curl.AskAsync("--cacert", certificates.Authority, "--connect-to", $"{host}:443:127.0.0.1:{proxy.Port(8443)}", $"https://{host}/");
            Assert.Equal("HTTP/2", seen.Version);
            Assert.StartsWith(answer, seen.Body, StringComparison.Ordinal);
        }

        foreach (var host in new[] { "c.example", "b.example", "a.b.a.example" })
            await Curl.FailAsync("--cacert", certificates.Authority, "--connect-to", $"{host}:443:127.0.0.1:{proxy.Port(8443)}", $"https://{host}/");
        await Curl.FailAsync(proxy.Url(8443, "/")); // no TLS

        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, proxy.Port(5432));
        using var server = await Eventually.EndsAsync(database.AcceptTcpClientAsync());
        Assert.Equal("ask", await PassAsync(client, server, "ask"));
        Assert.Equal("answer", await PassAsync(server, client, "answer"));

        using var asks = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await asks.SendAsync("question"u8.ToArray(), new IPEndPoint(IPAddress.Loopback, proxy.Port(5353)));
        var question = await Eventually.EndsAsync(names.ReceiveAsync());
        Assert.Equal("question", Encoding.ASCII.GetString(question.Buffer));
        await names.SendAsync("answer"u8.ToArray(), question.RemoteEndPoint);
        var answered = await Eventually.EndsAsync(asks.ReceiveAsync());
        Assert.Equal(("answer", proxy.Port(5353)), (Encoding.ASCII.GetString(answered.Buffer), answered.RemoteEndPoint.Port));
    }

    [Fact]
    public async Task Example_10_takes_grpc_behind_a_balancer_and_fails_over_by_place()
    {
        using var certificates = new Certificates(_directory);
        await using var near = await Orders.StartAsync("near");
        await using var nearby = await Orders.StartAsync("nearby");
        await using var far = await Orders.StartAsync("far");
        await using var files = await Endpoint.StartAsync("files", HttpProtocols.Http1AndHttp2, certificates.Issue("files", "files.example"));
        await using var proxy = await ProxyExample.StartAsync(
            10, _directory,
            new Dictionary<string, string>
            {
                ["10.1.0.1, port: 50051"] = $"127.0.0.1, port: {near.Port}", ["10.2.0.1, port: 50051"] = $"127.0.0.1, port: {nearby.Port}", ["10.9.0.1, port: 50051"] = $"127.0.0.1, port: {far.Port}",
                ["{service: shop.Orders}"] = "{service: shop.Orders, interval: 100ms}", ["files.example:443"] = $"127.0.0.1:{files.Port}", ["trustedProxies: [10.0.0.0/8]"] = "trustedProxies: [127.0.0.0/8]",
            },
            new Dictionary<string, string> { ["SSL_CERT_FILE"] = certificates.Authority });
        using var client = Client(proxy.Port(8080));

        Assert.Equal(("near", "0"), await CallAsync(client));
        near.Serving = false;
        await Eventually.TrueAsync(async () => await CallAsync(client) == ("nearby", "0"));
        nearby.Serving = false;
        await Eventually.TrueAsync(async () => await CallAsync(client) == ("far", "0"));
        near.Serving = true;
        await Eventually.TrueAsync(async () => await CallAsync(client) == ("near", "0"));

        // The PROXY header is read before anything else, and without one nobody is served.
        var seen = await Curl.AskAsync("--haproxy-protocol", proxy.Url(8080, "/files/acme/a/b"));
        Assert.Equal(200, seen.Status);
        Assert.StartsWith("files GET /files/acme/a/b\n", seen.Body, StringComparison.Ordinal);
        Assert.Equal(404, (await Curl.AskAsync("--haproxy-protocol", "-X", "POST", proxy.Url(8080, "/files/acme/a/b"))).Status);
        Assert.Equal(404, (await Curl.AskAsync("--haproxy-protocol", proxy.Url(8080, "/shop.Orders/Get"))).Status);
        await Curl.FailAsync(proxy.Url(8080, "/files/acme/a"));
    }

    private static async Task<string> PassAsync(TcpClient from, TcpClient to, string text)
    {
        await from.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
        var got = new byte[text.Length];
        await Eventually.EndsAsync(to.GetStream().ReadExactlyAsync(got).AsTask());
        return Encoding.ASCII.GetString(got);
    }

    // HTTP/2 behind a balancer that says whose connection it is.
    private static HttpClient Client(int port) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port, token);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 192.0.2.7 127.0.0.1 4711 {port}\r\n"), token);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };

    private static async Task<(string Endpoint, string Status)> CallAsync(HttpClient client)
    {
        using var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/shop.Orders/Get") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var status = response.TrailingHeaders.TryGetValues("grpc-status", out var trailing) || response.Headers.TryGetValues("grpc-status", out trailing) ? trailing.First() : "";
        return (body.Length > 5 ? Encoding.ASCII.GetString(body[5..]) : "", status);
    }

    /// <summary>A gRPC server by hand: its name as the bytes of a message, and grpc.health.v1.</summary>
    private sealed class Orders(Endpoint endpoint) : IAsyncDisposable
    {
        public bool Serving { get; set; } = true;

        public int Port => endpoint.Port;

        public static async Task<Orders> StartAsync(string name)
        {
            var endpoint = await Endpoint.StartAsync(name, HttpProtocols.Http2);
            var orders = new Orders(endpoint);
            endpoint.Handle = orders.AnswerAsync;
            return orders;
        }

        public ValueTask DisposeAsync() => endpoint.DisposeAsync();

        private async Task<bool> AnswerAsync(HttpContext context)
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            var name = Encoding.ASCII.GetBytes(endpoint.Name);
            // SERVING is 1, NOT_SERVING 2, in field 1.
            byte[] message = context.Request.Path == "/grpc.health.v1.Health/Check" ? [8, Serving ? (byte)1 : (byte)2] : name;
            await context.Response.Body.WriteAsync((byte[])[0, 0, 0, 0, (byte)message.Length, .. message]);
            return true;
        }
    }
}
