using System.Net.WebSockets;
using System.Text;
using Weft.ApiServer.Streaming.Spdy;
using Weft.ApiServer.Streaming.WebSockets;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Streaming;

public sealed class PortForwardTests : IAsyncLifetime
{
    private StreamingServer _server = null!;
    private EchoServer _echo = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await StreamingServer.StartAsync();
        _echo = new EchoServer();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _echo.DisposeAsync();
    }

    [Fact]
    public async Task Many_connections_share_one_session_and_none_mixes_with_another()
    {
        await using var client = await ConnectAsync();

        var answers = await Eventually.EndsAsync(Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            var (data, error) = await PairAsync(client, i, _echo.Port);
            var text = string.Concat(Enumerable.Repeat($"connection {i} ", 2000));
            var sending = SendAsync(data, text);
            var answer = await SpdyClient.ReadAsync(data);
            await sending;
            return answer == text && await SpdyClient.ReadAsync(error) == "";
        })));

        Assert.All(answers, Assert.True);
        await Eventually.TrueAsync(() => _echo.Open == 0);
    }

    [Fact]
    public async Task A_port_where_nothing_listens_is_told_on_the_error_stream_and_the_session_goes_on()
    {
        int free;
        await using (var gone = new EchoServer())
            free = gone.Port;
        await using var client = await ConnectAsync();

        var (data, error) = await PairAsync(client, 0, free);
        Assert.Contains($"error forwarding port {free} to pod web", await SpdyClient.ReadAsync(error), StringComparison.Ordinal);
        Assert.Equal("", await SpdyClient.ReadAsync(data));

        var (again, _) = await PairAsync(client, 1, _echo.Port);
        await SendAsync(again, "still there");
        Assert.Equal("still there", await SpdyClient.ReadAsync(again));
    }

    [Fact]
    public async Task The_end_of_the_session_closes_the_pods_connections()
    {
        var client = await ConnectAsync();
        var (data, _) = await PairAsync(client, 0, _echo.Port);
        await data.WriteAsync("x"u8.ToArray());
        await Eventually.TrueAsync(() => _echo.Open == 1);

        await client.DisposeAsync();

        await Eventually.TrueAsync(() => _echo.Open == 0);
    }

    [Fact]
    public async Task A_reset_stream_closes_its_connection_only()
    {
        await using var client = await ConnectAsync();
        var (first, _) = await PairAsync(client, 0, _echo.Port);
        var (second, _) = await PairAsync(client, 1, _echo.Port);
        await first.WriteAsync("x"u8.ToArray());
        await second.WriteAsync("y"u8.ToArray());
        await Eventually.TrueAsync(() => _echo.Open == 2);

        await first.ResetAsync(SpdyReset.Cancel, CancellationToken.None);

        await Eventually.TrueAsync(() => _echo.Open == 1);
        await second.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal("y", await SpdyClient.ReadAsync(second));
    }

    [Fact]
    public async Task Streams_without_a_type_or_port_are_refused()
    {
        await using var client = await ConnectAsync();

        foreach (var headers in new (string, string)[][] { [("streamtype", "data")], [("streamtype", "data"), ("port", "70000")], [("streamtype", "x"), ("port", "80")] })
        {
            var stream = await client.OpenAsync(headers);
            await Assert.ThrowsAnyAsync<IOException>(() => Eventually.EndsAsync(stream.ReadAsync(new byte[1]).AsTask()));
        }

        var (data, _) = await PairAsync(client, 9, _echo.Port);
        await SendAsync(data, "ok");
        Assert.Equal("ok", await SpdyClient.ReadAsync(data));
    }

    [Fact]
    public async Task More_streams_than_the_limit_are_refused()
    {
        await using var client = await ConnectAsync();
        SpdyStream last = null!;
        for (var i = 0; i <= SpdyLimits.MaxStreams; i++)
            last = await client.OpenAsync(("streamtype", "error"), ("port", "80"), ("requestid", i.ToString()));

        await Assert.ThrowsAnyAsync<IOException>(() => Eventually.EndsAsync(last.ReadAsync(new byte[1]).AsTask()));
    }

    [Fact]
    public async Task Spdy_travels_in_a_websocket()
    {
        var (code, head, stream) = await _server.RequestAsync(
            "GET", "/api/v1/namespaces/default/pods/web/portforward", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io");
        Assert.True(code == 101, head);
        Assert.Contains("Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io", head, StringComparison.OrdinalIgnoreCase);
        using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = false });
        await using var tunnel = new WebSocketTunnel(socket);
        await using var connection = new SpdyConnection(tunnel, TimeProvider.System, isClient: true);
        var running = connection.RunAsync(CancellationToken.None);

        var error = await connection.OpenAsync(Headers("error", 0, _echo.Port), CancellationToken.None);
        var data = await connection.OpenAsync(Headers("data", 0, _echo.Port), CancellationToken.None);
        await error.CompleteWritesAsync(CancellationToken.None);
        await SendAsync(data, "through the tunnel");

        Assert.Equal("through the tunnel", await SpdyClient.ReadAsync(data));
        await connection.DisposeAsync();
        await Eventually.EndsAsync(running);
    }

    [Fact]
    public async Task The_older_websocket_form_has_two_channels_for_each_port()
    {
        using var socket = await SocketAsync($"portforward?ports={_echo.Port}", "v4.channel.k8s.io");
        var buffer = new byte[1024];
        foreach (var channel in new byte[] { 0, 1 })
        {
            var first = await Eventually.EndsAsync(socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask());
            Assert.Equal((3, channel, _echo.Port), (first.Count, buffer[0], buffer[1] | (buffer[2] << 8)));
        }

        await socket.SendAsync((byte[])[0, .. "hello"u8], WebSocketMessageType.Binary, true, CancellationToken.None);
        var answer = await Eventually.EndsAsync(socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask());

        Assert.Equal("\0hello", Encoding.ASCII.GetString(buffer, 0, answer.Count));
    }

    [Theory]
    [InlineData("portforward")]
    [InlineData("portforward?ports=0")]
    [InlineData("portforward?ports=1,2,3,4,5,6")]
    [InlineData("portforward?ports=http")]
    public async Task The_older_websocket_form_needs_its_ports(string what) =>
        await Assert.ThrowsAsync<WebSocketException>(() => SocketAsync(what, "v4.channel.k8s.io"));

    private async Task<SpdyClient> ConnectAsync() => await _server.SpdyAsync("portforward", "", "portforward.k8s.io");

    private static async Task<(SpdyStream Data, SpdyStream Error)> PairAsync(SpdyClient client, int id, int port)
    {
        var error = await client.Connection.OpenAsync(Headers("error", id, port), CancellationToken.None);
        await error.CompleteWritesAsync(CancellationToken.None);
        return (await client.Connection.OpenAsync(Headers("data", id, port), CancellationToken.None), error);
    }

    private static SpdyHeaders Headers(string type, int id, int port) =>
        new(new Dictionary<string, string> { ["streamtype"] = type, ["port"] = port.ToString(), ["requestid"] = id.ToString() });

    private static async Task SendAsync(SpdyStream to, string text)
    {
        await to.WriteAsync(Encoding.UTF8.GetBytes(text));
        await to.CompleteWritesAsync(CancellationToken.None);
    }

    private async Task<ClientWebSocket> SocketAsync(string what, string protocol)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        await Eventually.EndsAsync(socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_server.Address.Port}/api/v1/namespaces/default/pods/web/{what}"), CancellationToken.None));
        return socket;
    }
}
