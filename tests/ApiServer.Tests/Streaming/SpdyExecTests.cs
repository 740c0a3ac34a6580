using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Weft.ApiServer.Streaming.Spdy;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Streaming;

public sealed class SpdyExecTests : IAsyncLifetime
{
    private const string V4 = "v4.channel.k8s.io";
    private StreamingServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StreamingServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Input_comes_back_as_output_and_success_is_reported()
    {
        await using var client = await _server.SpdyAsync("exec", "command=cat&stdin=true&stdout=true", V4, "v3.channel.k8s.io");
        Assert.Contains("X-Stream-Protocol-Version: v4.channel.k8s.io", client.Head, StringComparison.OrdinalIgnoreCase);
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");

        await stdin.WriteAsync("hello"u8.ToArray());
        await stdin.CompleteWritesAsync(CancellationToken.None);

        Assert.Equal("hello", await SpdyClient.ReadAsync(stdout));
        Assert.Equal("""{"metadata":{},"status":"Success"}""", await SpdyClient.ReadAsync(error));
        Assert.Equal(("default", "web", "main"), (_server.Pod.LastTarget!.Namespace, _server.Pod.LastTarget.Pod, _server.Pod.LastTarget.Container));
    }

    [Fact]
    public async Task Ten_megabytes_of_input_arrive_exactly()
    {
        var bytes = new byte[10 * 1024 * 1024 + 17];
        Seeded.Random(10).NextBytes(bytes);
        await using var client = await _server.SpdyAsync("exec", "command=sha256&stdin=true&stdout=true", V4);
        await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");

        await stdin.WriteAsync(bytes);
        await stdin.CompleteWritesAsync(CancellationToken.None);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)) + "\n", await SpdyClient.ReadAsync(stdout));
    }

    [Fact]
    public async Task Output_and_error_output_are_kept_apart()
    {
        await using var client = await _server.SpdyAsync("exec", "command=both&stdout=true&stderr=true", V4);
        await client.OpenAsync("error");
        var stdout = await client.OpenAsync("stdout");
        var stderr = await client.OpenAsync("stderr");

        Assert.Equal("to output\n", await SpdyClient.ReadAsync(stdout));
        Assert.Equal("to error\n", await SpdyClient.ReadAsync(stderr));
    }

    [Fact]
    public async Task The_exit_code_is_a_cause_of_the_status()
    {
        await using var client = await _server.SpdyAsync("exec", "command=exit&command=42&stdout=true", V4);
        var error = await client.OpenAsync("error");
        await client.OpenAsync("stdout");

        var status = JsonNode.Parse(await SpdyClient.ReadAsync(error))!;

        Assert.Equal("Failure", (string?)status["status"]);
        Assert.Equal("NonZeroExitCode", (string?)status["reason"]);
        Assert.Equal("ExitCode", (string?)status["details"]!["causes"]![0]!["reason"]);
        Assert.Equal("42", (string?)status["details"]!["causes"]![0]!["message"]);
    }

    [Theory]
    [InlineData("nonsense", "executable file not found")]
    [InlineData("broken", "the runtime fell over")]
    public async Task A_command_that_cannot_run_is_a_failure_with_its_reason(string command, string expected)
    {
        await using var client = await _server.SpdyAsync("exec", $"command={command}&stdout=true", V4);
        var error = await client.OpenAsync("error");
        await client.OpenAsync("stdout");

        var status = JsonNode.Parse(await SpdyClient.ReadAsync(error))!;

        Assert.Equal("Failure", (string?)status["status"]);
        Assert.Equal("InternalError", (string?)status["reason"]);
        Assert.Contains(expected, (string?)status["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v3.channel.k8s.io")]
    [InlineData("v2.channel.k8s.io")]
    [InlineData("channel.k8s.io")]
    public async Task Older_protocols_report_errors_as_text(string protocol)
    {
        await using var client = await _server.SpdyAsync("exec", "command=exit&command=3&stdout=true", protocol);
        var error = await client.OpenAsync("error");
        await client.OpenAsync("stdout");

        Assert.Equal("command terminated with non-zero exit code: exit status 3", await SpdyClient.ReadAsync(error));
    }

    [Fact]
    public async Task A_terminal_tells_its_size()
    {
        await using var client = await _server.SpdyAsync("exec", "command=size&stdin=true&stdout=true&tty=true", V4);
        await client.OpenAsync("error");
        await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        var resize = await client.OpenAsync("resize");

        await resize.WriteAsync("{\"Width\":132,\"Hei"u8.ToArray());
        await resize.WriteAsync("ght\":43}\n"u8.ToArray());

        Assert.Equal("132x43\n", await SpdyClient.ReadAsync(stdout));
        Assert.True(_server.Pod.LastStreams!.Terminal);
        Assert.Null(_server.Pod.LastStreams.Error);
    }

    [Fact]
    public async Task A_client_that_vanishes_ends_the_command()
    {
        await using var client = await _server.SpdyAsync("exec", "command=hang&stdin=true&stdout=true", V4);
        await client.OpenAsync("error");
        await client.OpenAsync("stdin");
        await client.OpenAsync("stdout");
        await Eventually.EndsAsync(_server.Pod.Hanging);

        client.Vanish();

        await Eventually.EndsAsync(_server.Pod.Cancelled);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_stops_the_writer()
    {
        const long flood = 256L * 1024 * 1024;
        var (code, _, stream) = await _server.RequestAsync(
            "POST", $"/api/v1/namespaces/default/pods/web/exec?command=flood&command={flood}&stdout=true",
            "Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io");
        Assert.Equal(101, code);
        using var writer = new SpdyFrameWriter();
        foreach (var (id, type) in new[] { (1, "error"), (3, "stdout") })
            await stream.WriteAsync(writer.SynStream(id, new SpdyHeaders(new Dictionary<string, string> { ["streamtype"] = type }), fin: false));

        // Nobody reads: what is on its way fills the sockets' buffers and no more.
        await Eventually.TrueAsync(() => _server.Pod.Written > 0);
        long before;
        do
        {
            before = Interlocked.Read(ref _server.Pod.Written);
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        }
        while (Interlocked.Read(ref _server.Pod.Written) != before);

        Assert.InRange(before, 1, flood / 4);
        await stream.DisposeAsync();
    }

    [Fact]
    public async Task Output_is_complete_although_the_client_still_sends()
    {
        await using var client = await _server.SpdyAsync("exec", "command=head&stdin=true&stdout=true", V4);
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        var sending = SendAsync();

        Assert.Equal("first\n", await SpdyClient.ReadAsync(stdout));
        Assert.Contains("Success", await SpdyClient.ReadAsync(error), StringComparison.Ordinal);
        await Eventually.EndsAsync(sending);

        async Task SendAsync()
        {
            try
            {
                for (var i = 0; i < 200; i++)
                    await stdin.WriteAsync(new byte[32 * 1024]);
            }
            catch (IOException)
            {
                // The server has ended the session meanwhile.
            }
        }
    }

    [Fact]
    public async Task A_peer_that_keeps_windows_gets_its_own_kept()
    {
        await using var client = await _server.SpdyAsync("exec", "command=cat&stdin=true&stdout=true", V4);
        await client.Connection.KeepWindowsAsync(CancellationToken.None);
        await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        var bytes = new byte[1024 * 1024];
        Seeded.Random(4).NextBytes(bytes);

        var sending = SendAsync();
        using var received = new MemoryStream();
        await Eventually.EndsAsync(stdout.CopyToAsync(received));
        await Eventually.EndsAsync(sending);

        Assert.Equal(bytes, received.ToArray());

        async Task SendAsync()
        {
            await stdin.WriteAsync(bytes);
            await stdin.CompleteWritesAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task What_arrived_can_be_read_after_the_connection_has_ended()
    {
        await using var client = await _server.SpdyAsync("exec", "command=head&stdout=true", V4);
        await client.Connection.KeepWindowsAsync(CancellationToken.None);
        await client.OpenAsync("error");
        var stdout = await client.OpenAsync("stdout");
        await Eventually.TrueAsync(() => stdout.HasEnded);

        client.Vanish();
        await Eventually.EndsAsync(client.Running);

        Assert.Equal("first\n", await SpdyClient.ReadAsync(stdout));
    }

    [Fact]
    public async Task Unexpected_streams_are_refused_and_do_not_disturb()
    {
        await using var client = await _server.SpdyAsync("exec", "command=head&stdout=true", V4);
        var surplus = await client.OpenAsync("stdin");
        await client.OpenAsync("error");
        var stdout = await client.OpenAsync("stdout");

        Assert.Equal("first\n", await SpdyClient.ReadAsync(stdout));
        await Assert.ThrowsAnyAsync<IOException>(() => Eventually.EndsAsync(surplus.ReadAsync(new byte[1]).AsTask()));
    }

    [Fact]
    public async Task Bytes_that_are_no_spdy_end_the_connection()
    {
        var (_, _, stream) = await _server.RequestAsync(
            "POST", "/api/v1/namespaces/default/pods/web/exec?command=hang&stdout=true", "Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: " + V4);
        // What a request smuggler would send next: after the switch nothing of it may reach the API.
        await stream.WriteAsync("GET /api/v1/namespaces/default/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());

        using var answer = new MemoryStream();
        await Eventually.EndsAsync(CopyAsync());

        Assert.DoesNotContain("HTTP/1.1", System.Text.Encoding.Latin1.GetString(answer.ToArray()), StringComparison.Ordinal);

        async Task CopyAsync()
        {
            try
            {
                await stream.CopyToAsync(answer);
            }
            catch (IOException)
            {
                // Reset, for it had sent more than was read.
            }
        }
    }

    [Fact]
    public async Task Attach_connects_to_the_main_process()
    {
        await using var client = await _server.SpdyAsync("attach", "stdin=true&stdout=true", V4);
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        await stdin.WriteAsync("x"u8.ToArray());
        await stdin.CompleteWritesAsync(CancellationToken.None);

        Assert.Equal("attached\nx", await SpdyClient.ReadAsync(stdout));
        Assert.Contains("Success", await SpdyClient.ReadAsync(error), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exec?command=cat&stdout=true", 400, "Upgrade request required")]
    [InlineData("exec?command=cat&stdout=true", 400, "Upgrade request required", "Connection: Upgrade", "Upgrade: h2c")]
    [InlineData("exec?command=cat", 400, "at least 1 of stdin, stdout, stderr", "Connection: Upgrade", "Upgrade: SPDY/3.1")]
    [InlineData("exec?command=cat&stdout=true&stderr=true&tty=true", 400, "tty and stderr", "Connection: Upgrade", "Upgrade: SPDY/3.1")]
    [InlineData("exec?stdout=true", 400, "must specify a command", "Connection: Upgrade", "Upgrade: SPDY/3.1")]
    [InlineData("exec?command=cat&stdout=true&container=other", 400, "container other is not valid for pod web", "Connection: Upgrade", "Upgrade: SPDY/3.1")]
    [InlineData("exec?command=cat&stdout=true", 403, "unable to negotiate protocol", "Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v9.channel.k8s.io")]
    [InlineData("portforward", 403, "unable to negotiate protocol", "Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v9.channel.k8s.io")]
    public async Task A_refused_upgrade_is_an_ordinary_answer_and_the_connection_stays_http(string what, int code, string message, params string[] headers)
    {
        var (actual, head, stream) = await _server.RequestAsync("POST", "/api/v1/namespaces/default/pods/web/" + what, ["Content-Length: 0", .. headers]);

        Assert.Equal(code, actual);
        Assert.DoesNotContain("Upgrade: SPDY", head, StringComparison.OrdinalIgnoreCase);
        var length = int.Parse(head.Split("Content-Length: ", StringSplitOptions.None)[1].Split('\r')[0]);
        var body = new byte[length];
        await stream.ReadExactlyAsync(body);
        Assert.Contains(message, System.Text.Encoding.UTF8.GetString(body), StringComparison.Ordinal);

        // The same connection goes on as HTTP, with a request of its own that is authorised on its own.
        await stream.WriteAsync("GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        var next = await Eventually.EndsAsync(new StreamReader(stream).ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 200", next, StringComparison.Ordinal);
        Assert.Null(_server.Pod.LastTarget);
    }
}
