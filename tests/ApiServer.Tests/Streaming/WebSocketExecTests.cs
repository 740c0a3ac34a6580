using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Streaming;

public sealed class WebSocketExecTests : IAsyncLifetime
{
    private StreamingServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StreamingServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("v5.channel.k8s.io")]
    [InlineData("v4.channel.k8s.io")]
    [InlineData("v4.base64.channel.k8s.io")]
    [InlineData("channel.k8s.io")]
    [InlineData("base64.channel.k8s.io")]
    public async Task Output_and_outcome_arrive_in_every_protocol(string protocol)
    {
        using var socket = await ConnectAsync("exec?command=both&stdout=true&stderr=true", protocol);
        Assert.Equal(protocol, socket.SubProtocol);

        var channels = await ReadAllAsync(socket);

        Assert.Equal("to output\n", Text(channels, 1));
        Assert.Equal("to error\n", Text(channels, 2));
        Assert.Equal(protocol[0] == 'v' ? """{"metadata":{},"status":"Success"}""" : "", Text(channels, 3));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task The_first_message_is_empty_and_says_that_the_command_has_started()
    {
        using var socket = await ConnectAsync("exec?command=hang&stdin=true&stdout=true", "v5.channel.k8s.io");
        var buffer = new byte[16];

        var first = await Eventually.EndsAsync(socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask());

        Assert.Equal((1, (byte)1, true), (first.Count, buffer[0], first.EndOfMessage));
    }

    [Fact]
    public async Task A_close_signal_ends_the_input_and_ten_megabytes_arrive_exactly()
    {
        var bytes = new byte[10 * 1024 * 1024 + 17];
        Seeded.Random(11).NextBytes(bytes);
        using var socket = await ConnectAsync("exec?command=sha256&stdin=true&stdout=true", "v5.channel.k8s.io");

        for (var at = 0; at < bytes.Length; at += 100_000)
            await SendAsync(socket, 0, bytes.AsMemory(at, Math.Min(100_000, bytes.Length - at)));
        await socket.SendAsync(new byte[] { 255, 0 }, WebSocketMessageType.Binary, true, CancellationToken.None);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)) + "\n", Text(await ReadAllAsync(socket), 1));
    }

    [Fact]
    public async Task Input_in_base64_is_decoded()
    {
        using var socket = await ConnectAsync("exec?command=cat&stdin=true&stdout=true", "v4.base64.channel.k8s.io");
        await socket.SendAsync(Encoding.ASCII.GetBytes("0" + Convert.ToBase64String("hello"u8)), WebSocketMessageType.Text, true, CancellationToken.None);

        var received = "";
        var buffer = new byte[1024];
        while (!received.EndsWith("hello", StringComparison.Ordinal))
        {
            var result = await Eventually.EndsAsync(socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask());
            Assert.Equal(WebSocketMessageType.Text, result.MessageType);
            Assert.Equal((byte)'1', buffer[0]);
            received += Encoding.UTF8.GetString(Convert.FromBase64String(Encoding.ASCII.GetString(buffer, 1, result.Count - 1)));
        }
    }

    [Fact]
    public async Task What_is_not_base64_ends_the_session_and_the_command()
    {
        using var socket = await ConnectAsync("exec?command=hang&stdin=true&stdout=true", "v4.base64.channel.k8s.io");
        await Eventually.EndsAsync(_server.Pod.Hanging);

        await socket.SendAsync("0!!!"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);

        await Eventually.EndsAsync(_server.Pod.Cancelled);
    }

    [Fact]
    public async Task The_exit_code_is_a_cause_of_the_status()
    {
        using var socket = await ConnectAsync("exec?command=exit&command=7&stdout=true", "v5.channel.k8s.io");

        var status = JsonNode.Parse(Text(await ReadAllAsync(socket), 3))!;

        Assert.Equal("NonZeroExitCode", (string?)status["reason"]);
        Assert.Equal("7", (string?)status["details"]!["causes"]![0]!["message"]);
    }

    [Fact]
    public async Task A_terminal_tells_its_size()
    {
        using var socket = await ConnectAsync("exec?command=size&stdin=true&stdout=true&tty=true", "v4.channel.k8s.io");

        await SendAsync(socket, 4, """{"Width":100,"Height":30}"""u8.ToArray());

        Assert.Equal("100x30\n", Text(await ReadAllAsync(socket), 1));
    }

    [Fact]
    public async Task A_client_that_closes_ends_the_command()
    {
        using var socket = await ConnectAsync("exec?command=hang&stdin=true&stdout=true", "v4.channel.k8s.io");
        await Eventually.EndsAsync(_server.Pod.Hanging);

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);

        await Eventually.EndsAsync(_server.Pod.Cancelled);
    }

    [Fact]
    public async Task A_client_that_vanishes_ends_the_command()
    {
        var socket = await ConnectAsync("exec?command=hang&stdin=true&stdout=true", "v4.channel.k8s.io");
        await Eventually.EndsAsync(_server.Pod.Hanging);

        socket.Abort();

        await Eventually.EndsAsync(_server.Pod.Cancelled);
        socket.Dispose();
    }

    [Fact]
    public async Task Channels_that_nobody_reads_are_dropped()
    {
        using var socket = await ConnectAsync("exec?command=cat&stdin=true&stdout=true", "v5.channel.k8s.io");
        await SendAsync(socket, 9, "to nobody"u8.ToArray());
        await SendAsync(socket, 1, "to the output"u8.ToArray());
        await socket.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Binary, true, CancellationToken.None);
        await SendAsync(socket, 0, "hello"u8.ToArray());
        await socket.SendAsync(new byte[] { 255, 77 }, WebSocketMessageType.Binary, true, CancellationToken.None);
        await socket.SendAsync(new byte[] { 255, 0 }, WebSocketMessageType.Binary, true, CancellationToken.None);
        await SendAsync(socket, 0, "after its end"u8.ToArray());
        await socket.SendAsync(new byte[] { 255, 0 }, WebSocketMessageType.Binary, true, CancellationToken.None);

        Assert.Equal("hello", Text(await ReadAllAsync(socket), 1));
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 13", "")]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: short")]
    [InlineData("Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")]
    public async Task A_handshake_that_is_not_rfc_6455_is_refused_as_http(string version, string key)
    {
        string[] headers = ["Connection: Upgrade", "Upgrade: websocket", version, .. key.Length == 0 ? Array.Empty<string>() : [key]];
        var (code, _, stream) = await _server.RequestAsync("GET", "/api/v1/namespaces/default/pods/web/exec?command=cat&stdout=true", headers);

        Assert.Equal(400, code);
        Assert.Null(_server.Pod.LastTarget);
        await stream.DisposeAsync();
    }

    [Fact]
    public void The_accept_header_is_that_of_the_rfc() =>
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Weft.ApiServer.Streaming.UpgradeRequest.Accept("dGhlIHNhbXBsZSBub25jZQ=="));

    private async Task<ClientWebSocket> ConnectAsync(string what, string protocol)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        await Eventually.EndsAsync(socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_server.Address.Port}/api/v1/namespaces/default/pods/web/{what}"), CancellationToken.None));
        return socket;
    }

    private static async Task SendAsync(WebSocket socket, byte channel, ReadOnlyMemory<byte> bytes) =>
        await socket.SendAsync((byte[])[channel, .. bytes.Span], WebSocketMessageType.Binary, true, CancellationToken.None);

    private static async Task<Dictionary<int, MemoryStream>> ReadAllAsync(ClientWebSocket socket)
    {
        var base64 = socket.SubProtocol!.Contains("base64", StringComparison.Ordinal);
        var channels = new Dictionary<int, MemoryStream>();
        var buffer = new byte[256 * 1024];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await Eventually.EndsAsync(socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).AsTask());
                length += result.Count;
            }
            while (!result.EndOfMessage);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
                return channels;
            }

            var channel = base64 ? buffer[0] - '0' : buffer[0];
            if (!channels.TryGetValue(channel, out var stream))
                channels[channel] = stream = new MemoryStream();
            stream.Write(base64 ? Convert.FromBase64String(Encoding.ASCII.GetString(buffer, 1, length - 1)) : buffer.AsSpan(1, length - 1));
        }
    }

    private static string Text(Dictionary<int, MemoryStream> channels, int channel) =>
        channels.TryGetValue(channel, out var stream) ? Encoding.UTF8.GetString(stream.ToArray()) : "";
}
