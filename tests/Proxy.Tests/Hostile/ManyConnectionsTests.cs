using System.Diagnostics;
using System.Globalization;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Ten thousand clients at once, most of the time silent, as behind a public address. They live in a process of their own: descriptors are counted for each.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class ManyConnectionsTests
{
    private const int Plain = 9_000, Tls = 1_000;

    // What else this process has open, and the endpoint's side.
    private const int Spare = 1_500;

    // Objects and timers of a connection; with TLS libssl's own state, some 20 KB, beside. Measured at 4 KB and 30 KB.
    private const long PlainBytes = 12 << 10, TlsBytes = 80 << 10;

    // Opens, asks on each, waits for a line, asks on each again. From several addresses, as a range of ports is shared by all of one address.
    private const string Clients = """
        import socket, ssl, sys
        port, secure, plain, tls = (int(a) for a in sys.argv[1:])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        open_ones = []
        def ask(s):
            s.sendall(b"GET /direct HTTP/1.1\r\nHost: h\r\n\r\n")
            got = b""
            while b"\r\n\r\n" not in got or len(got.split(b"\r\n\r\n", 1)[1]) < 1000:
                more = s.recv(65536)
                if not more:
                    sys.exit("closed after %r" % got)
                got += more
            if not got.startswith(b"HTTP/1.1 200 "):
                sys.exit("%r" % got)
        for i in range(plain + tls):
            s = socket.socket()
            s.settimeout(60)
            s.bind(("127.0.0.%d" % (2 + i % 8), 0))
            s.connect(("127.0.0.1", secure if i >= plain else port))
            if i >= plain:
                s = context.wrap_socket(s, server_hostname="a.example")
            ask(s)
            open_ones.append(s)
            if i + 1 == plain:
                print("plain", flush=True)
                sys.stdin.readline()
        print("all", flush=True)
        sys.stdin.readline()
        for s in open_ones:
            ask(s)
        print("answered", len(open_ones), flush=True)
        sys.stdin.readline()
        """;

    [Fact]
    public async Task Ten_thousand_connections_are_kept_in_little_memory_and_all_answered()
    {
        var most = Descriptors() - Spare;
        var (plain, tls) = most >= Plain + Tls ? (Plain, Tls) : (most * Plain / (Plain + Tls), most * Tls / (Plain + Tls));
        using var authority = new TestAuthority();
        using var upstream = new ScriptedUpstream(Answer.Ok);
        var config = HostileBed.Config(HostileBed.Cluster(upstream.Address));
        config = config with
        {
            Listeners =
            [
                config.Listeners[0] with { Http = HttpSettings.Default with { KeepAliveTimeout = TimeSpan.FromMinutes(10) } },
                config.Listeners[0] with { Name = "secure", Tls = new ListenerTls { Certificates = ["site"] }, Http = HttpSettings.Default with { KeepAliveTimeout = TimeSpan.FromMinutes(10) } },
            ],
            Certificates = [TlsBed.Certificate("site", authority.Issue())],
        };
        await using var bed = await HostileBed.StartAsync(config, loops: 2);
        await AskAsync();
        await bed.NothingLeftAsync();
        var before = Resident();
        using var clients = Process.Start(new ProcessStartInfo("python3", ["-c", Clients, .. Numbers(bed.Address.Port, bed.Engine.Addresses["secure"].Port, plain, tls)]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Assert.Equal("plain", await SayAsync(null));
            var afterPlain = Resident();
            Assert.InRange(afterPlain - before, long.MinValue, (16 << 20) + (plain * PlainBytes));
            Assert.Equal("all", await SayAsync(""));
            Assert.InRange(Resident() - afterPlain, long.MinValue, (16 << 20) + (tls * TlsBytes));
            Assert.Equal(plain + tls, bed.Gauge("weft_proxy_connections"));
            Assert.Equal(0, bed.Engine.BufferedBytes); // who is silent holds no buffer
            await AskAsync();
            Assert.Equal($"answered {plain + tls}", await SayAsync(""));
            await SayAsync("");
        }
        finally
        {
            if (!clients.HasExited)
                clients.Kill();
        }

        await bed.NothingLeftAsync();

        async Task AskAsync()
        {
            using var client = bed.Client(System.Net.HttpVersion.Version11);
            Assert.Equal(1000, (await client.GetStringAsync("/direct")).Length);
        }

        async Task<string?> SayAsync(string? line)
        {
            if (line is not null)
                await clients.StandardInput.WriteLineAsync(line);
            await clients.StandardInput.FlushAsync();
            var said = await clients.StandardOutput.ReadLineAsync();
            if (said is null)
                Assert.Equal("", await clients.StandardError.ReadToEndAsync());
            return said;
        }
    }

    private static string[] Numbers(params int[] numbers) => [.. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))];

    private static int Descriptors()
    {
        var line = File.ReadLines("/proc/self/limits").Single(limit => limit.StartsWith("Max open files", StringComparison.Ordinal));
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3] is var soft && int.TryParse(soft, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
