using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Testing;

namespace Weft.Proxy.Tests.Udp;

public sealed class UdpTests
{
    [Fact]
    public async Task Datagrams_of_a_client_stay_with_an_endpoint_and_answers_come_back()
    {
        using var one = new Echo("one");
        using var two = new Echo("two");
        await using var engine = new ProxyEngine(loops: 2, accessLog: null, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        await engine.ApplyAsync(Config(TimeSpan.FromMinutes(1), one, two));
        var seen = new HashSet<string>();
        for (var client = 0; client < 20; client++)
        {
            using var socket = new UdpClient();
            socket.Connect(engine.Addresses["dns"]);
            var first = await AskAsync(socket, $"hello {client}");
            seen.Add(first.Split(':')[0]);
            for (var i = 0; i < 5; i++)
                Assert.Equal(first, await AskAsync(socket, $"hello {client}"));
            Assert.EndsWith($":hello {client}", first, StringComparison.Ordinal);
        }

        Assert.Equal(["one", "two"], seen.Order());
    }

    [Fact]
    public async Task A_session_ends_when_nothing_is_said_any_more()
    {
        using var one = new Echo("one");
        await using var engine = new ProxyEngine(loops: 1, accessLog: null, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        await engine.ApplyAsync(Config(TimeSpan.FromMilliseconds(50), one));
        using var socket = new UdpClient();
        socket.Connect(engine.Addresses["dns"]);
        await AskAsync(socket, "a");

        await Eventually.TrueAsync(() => Metrics(engine).Contains($"weft_proxy_endpoint_requests_in_flight{{cluster=\"echo\",endpoint=\"{one.Address}\"}} 0", StringComparison.Ordinal), state: () => Metrics(engine));
        Assert.Equal("one:b", await AskAsync(socket, "b"));
    }

    [Fact]
    public async Task A_drain_ends_with_sessions_that_are_quiet_and_takes_no_new_ones()
    {
        using var one = new Echo("one");
        await using var engine = new ProxyEngine(loops: 1, accessLog: null, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        await engine.ApplyAsync(Config(TimeSpan.FromMinutes(10), one));
        using var socket = new UdpClient();
        socket.Connect(engine.Addresses["dns"]);
        await AskAsync(socket, "a");

        var draining = engine.DrainAsync(TimeSpan.FromSeconds(64));

        Assert.Equal("one:b", await AskAsync(socket, "b"));
        await Eventually.EndsAsync(draining);
        Assert.Contains($"weft_proxy_endpoint_requests_in_flight{{cluster=\"echo\",endpoint=\"{one.Address}\"}} 0", Metrics(engine), StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(UdpClient socket, string text)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString((await Eventually.EndsAsync(socket.ReceiveAsync(TestContext.Current.CancellationToken).AsTask())).Buffer);
    }

    private static string Metrics(ProxyEngine engine)
    {
        using var text = new StringWriter { NewLine = "\n" };
        engine.WriteMetrics(text);
        return text.ToString();
    }

    private static ProxyConfig Config(TimeSpan session, params Echo[] echoes) => new()
    {
        Listeners = [new ListenerConfig { Name = "dns", Address = "127.0.0.1", Kind = ListenerKind.Udp, DefaultCluster = "echo", UdpSessionTimeout = session }],
        Clusters =
        [
            new ClusterConfig
            {
                Name = "echo", LoadBalancer = new RoundRobinBalancer(),
                Endpoints = [.. echoes.Select(echo => new EndpointConfig { Address = "127.0.0.1", Port = echo.Address.Port })],
            },
        ],
    };

    private sealed class Echo : IDisposable
    {
        private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
        private readonly string _name;

        public Echo(string name)
        {
            _name = name;
            _ = ServeAsync();
        }

        public IPEndPoint Address => (IPEndPoint)_socket.Client.LocalEndPoint!;

        public void Dispose() => _socket.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var got = await _socket.ReceiveAsync();
                    await _socket.SendAsync(Encoding.ASCII.GetBytes($"{_name}:{Encoding.ASCII.GetString(got.Buffer)}"), got.RemoteEndPoint);
                }
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException)
            {
                // the test is over
            }
        }
    }
}
