using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Http1;

public sealed class ServerBehaviourTests
{
    [Fact]
    public void Pipelined_requests_are_answered_in_order()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        var all = string.Concat(Enumerable.Range(0, 50).Select(i => $"POST /{i} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n{(i == 49 ? "Connection: close\r\n" : "")}\r\nabc"));
        var answers = bed.Talk(all);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"POST /{i} HTTP/1.1"), answers.Split("\r\n\r\n")[1..].Select(part => part.Split("HTTP/1.1 200")[0]));
        Assert.Equal(50, upstream.Requests.Count);
    }

    [Fact]
    public void A_request_is_forwarded_whole_however_it_is_cut()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var socket = bed.Connect();
        const string text = "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        for (var cut = 1; cut < text.Length; cut++)
        {
            socket.Send(Encoding.ASCII.GetBytes(text[..cut]));
            // What was sent is read before the rest comes: the loop has been round.
            bed.OnLoop(() => { });
            Assert.EndsWith("PUT /x HTTP/1.1", EngineBed.Ask(socket, text[cut..]));
        }

        Assert.Equal(text.Length - 1, upstream.Requests.Count);
        Assert.All(upstream.Requests, request => Assert.Equal("abcde", Unchunk(request)));
    }

    [Fact]
    public void What_is_sent_on_has_no_field_of_the_hop()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        bed.Talk("GET http://example.org/p?q HTTP/1.1\r\nHost: example.org\r\nX-A: b\r\nConnection: close, foo\r\nFoo: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\n\r\n");
        Assert.Equal("GET /p?q HTTP/1.1\r\nhost: example.org\r\nx-a: b\r\nx-forwarded-for: 127.0.0.1\r\n\r\n", Assert.Single(upstream.Requests));
    }

    [Fact]
    public void Http10_has_its_connection_closed_unless_it_asks_to_keep_it()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        Assert.Contains("connection: close\r\n", bed.Talk("GET / HTTP/1.0\r\n\r\n"));
        using var socket = bed.Connect();
        Assert.Contains("connection: keep-alive\r\n", EngineBed.Ask(socket, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        Assert.Contains("connection: keep-alive\r\n", EngineBed.Ask(socket, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        Assert.All(upstream.Requests, request => Assert.Contains($"host: {upstream.Address}", request));
    }

    [Fact]
    public void A_client_that_waits_for_100_is_told_to_go_on()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var socket = bed.Connect();
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", EngineBed.Ask(socket, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 200 OK", EngineBed.Ask(socket, "hello"));
        Assert.DoesNotContain("expect", Assert.Single(upstream.Requests));
    }

    [Fact]
    public void An_answer_before_the_end_of_the_request_ends_both_connections()
    {
        using var early = new Answering("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
        using var bed = new EngineBed(early.Address);
        using var socket = bed.Connect();
        // 10 MB are announced and never come: what follows must not be taken for a request.
        var answer = EngineBed.Talk(socket, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\nGET /inside HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.EndsWith("\r\n\r\nno", answer);
        bed.OnLoop(() => Assert.Equal(0, bed.Pool.Connections));
    }

    [Fact]
    public void A_reused_connection_that_was_closed_meanwhile_is_no_failure()
    {
        using var once = new Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", closeAfter: true);
        using var bed = new EngineBed(once.Address);
        using var socket = bed.Connect();
        for (var i = 0; i < 20; i++)
            Assert.EndsWith("\r\n\r\nok", EngineBed.Ask(socket, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\nX: a\n b\n\n")]
    [InlineData("\nHTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX : a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n X: a\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")]
    [InlineData("hello")]
    [InlineData("")]
    public void An_endpoint_that_answers_badly_is_a_bad_gateway(string answer)
    {
        using var bad = new Answering(answer, closeAfter: true);
        using var bed = new EngineBed(bad.Address);
        Assert.StartsWith("HTTP/1.1 502 ", bed.Talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    }

    /// <summary>The programs behind a busybox httpd end lines by `echo`. Where the endpoint meant another end of its head, the rest would be the next one's answer: there is no next one.</summary>
    [Fact]
    public void A_head_with_lone_lfs_is_sent_on_with_cr_lf_and_ends_its_connection()
    {
        using var loose = new Answering("HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\nok");
        using var bed = new EngineBed(loose.Address);
        using var socket = bed.Connect();
        for (var i = 0; i < 3; i++)
            Assert.Equal("HTTP/1.1 200 OK\r\nx: a\r\ncontent-length: 2\r\n\r\nok", EngineBed.Ask(socket, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        Assert.Equal(3, loose.Accepted);
    }

    [Fact]
    public void A_second_answer_that_nobody_asked_for_goes_to_nobody()
    {
        using var twice = new Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
        using var bed = new EngineBed(twice.Address);
        using var socket = bed.Connect();
        for (var i = 0; i < 3; i++)
            Assert.EndsWith("\r\n\r\nok", EngineBed.Ask(socket, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    }

    [Fact]
    public void A_body_until_the_close_is_chunked_for_the_client_and_a_cut_one_is_cut()
    {
        using var open = new Answering("HTTP/1.1 200 OK\r\n\r\nuntil the end", closeAfter: true);
        using var bed = new EngineBed(open.Address);
        var answer = bed.Talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        Assert.Contains("transfer-encoding: chunked\r\n", answer);
        Assert.EndsWith("d\r\nuntil the end\r\n0\r\n\r\n", answer);
        using var cut = new Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", closeAfter: true);
        using var other = new EngineBed(cut.Address);
        Assert.DoesNotContain("0\r\n\r\n", other.Talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    }

    [Fact]
    public void An_upgrade_becomes_a_tunnel_with_two_ends()
    {
        using var echo = new Answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", echo: true);
        using var bed = new EngineBed(echo.Address);
        using var socket = bed.Connect();
        Assert.Equal("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            EngineBed.Ask(socket, "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
        socket.Send("GET / HTTP/1.1\r\n\r\n"u8);
        var buffer = new byte[100];
        Assert.Equal(18, socket.Receive(buffer));
        socket.Send("last words"u8);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("last words", EngineBed.ReadToEnd(socket));
    }

    [Fact]
    public void A_refused_upgrade_is_an_ordinary_request()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var socket = bed.Connect();
        EngineBed.Ask(socket, "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        Assert.EndsWith("GET /next HTTP/1.1", EngineBed.Ask(socket, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
    }

    [Fact]
    public void Bodies_of_many_megabytes_pass_with_bounded_buffers()
    {
        using var upstream = new RecordingUpstream(bodyBytes: 32 << 20);
        using var bed = new EngineBed(upstream.Address);
        using var socket = bed.Connect();
        socket.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8);
        // The client does not read for a while: the proxy stops reading, too.
        Assert.True(SpinWait.SpinUntil(() => upstream.Requests.Count == 1, 20_000));
        for (var i = 0; i < 100; i++)
            bed.OnLoop(() => Assert.InRange(bed.Loop.Buffers.InUse, 0, 512 << 10));
        var answer = EngineBed.ReadToEnd(socket);
        Assert.Equal(32 << 20, answer.Length - answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_request_in_steady_state()
    {
        using var upstream = new RecordingUpstream(bodyBytes: 100);
        using var bed = new EngineBed(upstream.Address);
        using var socket = bed.Connect();
        for (var i = 0; i < 500; i++)
            EngineBed.Ask(socket, "GET /path?x=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n");
        long before = 0, after = 0;
        bed.OnLoop(() => before = GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < 500; i++)
            EngineBed.Ask(socket, "GET /path?x=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n");
        bed.OnLoop(() => after = GC.GetAllocatedBytesForCurrentThread());
        // The first post itself leaves some hundred bytes; one byte for each request would be more.
        Assert.InRange(after - before, 0, 499);
    }

    private static string Unchunk(string request)
    {
        var body = request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        var all = "";
        while (body.Length > 0)
        {
            var line = body.IndexOf('\r');
            var length = Convert.ToInt32(body[..line], 16);
            all += body.Substring(line + 2, length);
            body = body[(line + 4 + length)..];
        }

        return all;
    }

    /// <summary>An endpoint that says one thing to each first read of a connection, and again to each later one.</summary>
    private sealed class Answering : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _accepted;

        public Answering(string answer, bool closeAfter = false, bool echo = false)
        {
            _listener.Start();
            Address = (IPEndPoint)_listener.LocalEndpoint;
            _ = AcceptAsync(Encoding.Latin1.GetBytes(answer), closeAfter, echo);
        }

        public IPEndPoint Address { get; }

        /// <summary>Connections.</summary>
        public int Accepted => Volatile.Read(ref _accepted);

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync(byte[] answer, bool closeAfter, bool echo)
        {
            try
            {
                while (true)
                {
                    var socket = await _listener.AcceptSocketAsync();
                    Interlocked.Increment(ref _accepted);
                    _ = ServeAsync(socket, answer, closeAfter, echo);
                }
            }
            catch (Exception over) when (over is ObjectDisposedException or SocketException)
            {
            }
        }

        private static async Task ServeAsync(Socket socket, byte[] answer, bool closeAfter, bool echo)
        {
            using (socket)
            {
                var buffer = new byte[65536];
                var first = true;
                try
                {
                    while (await socket.ReceiveAsync(buffer) is var got and > 0)
                    {
                        await socket.SendAsync(first || !echo ? answer : buffer.AsMemory(0, got));
                        first = false;
                        if (closeAfter)
                            return;
                    }
                }
                catch (SocketException)
                {
                }
            }
        }
    }
}
