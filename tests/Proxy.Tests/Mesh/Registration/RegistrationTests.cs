using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Registration;

public sealed class RegistrationTests : IDisposable
{
    // The agent's tests have the same lines.
    private const string First = """{"do":"add","pod":{"uid":"u1","addresses":["10.1.0.2"],"namespace":"shop","name":"web-1","serviceAccount":"web","labels":{"app":"web"}}}""";

    private readonly TempDir _dir = new();

    [Fact]
    public async Task A_registered_pod_is_found_by_its_address_and_known_to_the_next_proxy()
    {
        var registry = WorkloadRegistry.Load(_dir.Path);
        await using (var agent = await Agent.ConnectAsync(_dir, registry))
        {
            Assert.Equal("{}", await agent.AskAsync("""{"do":"begin"}"""));
            Assert.Equal("{}", await agent.AskAsync(First));
            Assert.Equal("{}", await agent.AskAsync("""{"do":"end"}"""));
            Assert.Equal("{}", await agent.AskAsync(First.Replace("u1", "u2", StringComparison.Ordinal).Replace("10.1.0.2", "10.1.0.3", StringComparison.Ordinal)));
        }

        var next = WorkloadRegistry.Load(_dir.Path);
        foreach (var one in (WorkloadRegistry[])[registry, next])
        {
            Assert.Equal(new LocalWorkload("u1", "shop", "web-1", "web", new ValueMap([new("app", "web")])), one.Find(IPAddress.Parse("10.1.0.2")));
            Assert.Equal("u2", one.Find(IPAddress.Parse("10.1.0.3"))?.Uid);
            Assert.Null(one.Find(IPAddress.Parse("10.1.0.4")));
        }
    }

    [Fact]
    public async Task A_whole_list_forgets_what_it_does_not_name_when_it_is_at_its_end()
    {
        var registry = WorkloadRegistry.Load(_dir.Path);
        await using (var agent = await Agent.ConnectAsync(_dir, registry))
        {
            await agent.AskAsync(First);
            await agent.AskAsync("""{"do":"begin"}""");
            await agent.AskAsync(First.Replace("u1", "u2", StringComparison.Ordinal).Replace("10.1.0.2", "10.1.0.3", StringComparison.Ordinal));
            Assert.NotNull(registry.Find(IPAddress.Parse("10.1.0.2")));
        }

        // The first agent died within its list: only a whole one counts.
        await using var second = await Agent.ConnectAsync(_dir, registry);
        await second.AskAsync("""{"do":"begin"}""");
        await second.AskAsync(First);
        await second.AskAsync("""{"do":"end"}""");
        Assert.NotNull(registry.Find(IPAddress.Parse("10.1.0.2")));
        Assert.Null(registry.Find(IPAddress.Parse("10.1.0.3")));
        await second.AskAsync("""{"do":"remove","uid":"u1"}""");
        Assert.Null(registry.Find(IPAddress.Parse("10.1.0.2")));
        Assert.Equal(0, WorkloadRegistry.Load(_dir.Path).Count);
    }

    [Theory]
    [InlineData("rubbish", "JSON")]
    [InlineData("null", "no order")]
    [InlineData("""{"do":"dance"}""", "dance")]
    [InlineData("""{"do":"end"}""", "end")]
    [InlineData("""{"do":"add"}""", "add")]
    [InlineData("""{"do":"add","pod":{"uid":"u1","addresses":["ten"],"namespace":"a","name":"b","serviceAccount":"c"}}""", "ten")]
    [InlineData("""{"do":"add","pod":{"uid":"u1","addresses":null,"namespace":"a","name":"b","serviceAccount":"c"}}""", "addresses")]
    [InlineData("""{"do":"add","pod":{"uid":"u1","addresses":[null],"namespace":"a","name":"b","serviceAccount":"c"}}""", "addresses")]
    [InlineData("""{"do":"add","pod":{"uid":"u1","addresses":[],"namespace":"a","name":"b","serviceAccount":"c","labels":{"a":null}}}""", "labels")]
    [InlineData("""{"do":"add","pod":{"uid":"u1","addresses":[],"namespace":"","name":"b","serviceAccount":"c"}}""", "namespace")]
    public async Task What_is_no_order_is_refused_and_the_next_one_is_heard(string line, string why)
    {
        var registry = WorkloadRegistry.Load(_dir.Path);
        await using var agent = await Agent.ConnectAsync(_dir, registry);
        Assert.Contains(why, await agent.AskAsync(line));
        Assert.Equal("{}", await agent.AskAsync(First));
        Assert.Equal(1, registry.Count);
    }

    [Fact]
    public async Task A_line_without_an_end_closes_the_connection()
    {
        await using var agent = await Agent.ConnectAsync(_dir, WorkloadRegistry.Load(_dir.Path));
        Assert.Contains("at most", await agent.AskAsync(new string('x', 300 * 1024), newline: false));
        Assert.Null(await agent.ReadAsync());
    }

    [Fact]
    public async Task The_newest_agent_is_heard()
    {
        var registry = WorkloadRegistry.Load(_dir.Path);
        await using var agent = await Agent.ConnectAsync(_dir, registry);
        await agent.AskAsync("""{"do":"begin"}""");
        using var newer = agent.Again();
        Assert.Equal("{}", await newer.AskAsync(First));
        Assert.Null(await agent.ReadAsync());
    }

    [Fact]
    public async Task The_agent_may_ask_how_many_requests_were_sent()
    {
        await using var silent = await Agent.ConnectAsync(_dir, WorkloadRegistry.Load(_dir.Path));
        Assert.Equal("{}", await silent.AskAsync("""{"do":"requests"}"""));
        await using var agent = await Agent.ConnectAsync(_dir, WorkloadRegistry.Load(_dir.Path), () => new Dictionary<IPAddress, long> { [IPAddress.Parse("10.1.0.2")] = 7 });
        Assert.Equal("""{"requests":{"10.1.0.2":7}}""", await agent.AskAsync("""{"do":"requests"}"""));
    }

    /// <summary>Descriptors that are used up, for example: after it no meshed pod could start on the node.</summary>
    [Fact]
    public async Task A_connection_that_cannot_be_accepted_does_not_keep_the_next_from_being_heard()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_dir.File("mesh.sock")));
        listener.Listen();
        var (failures, time) = (3, new ManualTime());
        using var log = new LogLines();
        await using var server = RegistrationServer.Start(
            token => --failures >= 0 ? throw new SocketException((int)SocketError.TooManyOpenSockets) : listener.AcceptAsync(token), WorkloadRegistry.Load(_dir.Path), time, log);
        using var agent = Agent.Of(_dir);
        var answer = agent.AskAsync(First);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return answer.IsCompleted;
        });
        Assert.Equal("{}", await answer);
        Assert.Single(log.Text, line => line.Contains("cannot be heard", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_defect_costs_the_order_that_brings_it_to_light_and_no_other()
    {
        var registry = WorkloadRegistry.Load(_dir.Path, pod => throw (pod.Uid == "u1" ? new KeyNotFoundException("odd") : new IOException("full")));
        await using var agent = await Agent.ConnectAsync(_dir, registry);
        Assert.Contains("odd", await agent.AskAsync(First));
        Assert.Contains("full", await agent.AskAsync(First.Replace("u1", "u2", StringComparison.Ordinal)));
        using var next = agent.Again();
        Assert.Equal("{}", await next.AskAsync("""{"do":"remove","uid":"u1"}"""));
    }

    [Fact]
    public void Who_connects_is_known_by_the_kernel()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_dir.File("s")));
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(_dir.File("s")));
        using var accepted = listener.Accept();
        Assert.Equal(Environment.IsPrivilegedProcess ? 0u : RegistrationServer.PeerUser(accepted), RegistrationServer.PeerUser(accepted));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_none()
    {
        File.WriteAllText(_dir.File("workloads.json"), """{"format":1,"pods":[{"uid":"u1"},null]}""");
        Assert.Equal(0, WorkloadRegistry.Load(_dir.Path).Count);
        File.WriteAllText(_dir.File("workloads.json"), "{");
        Assert.Equal(0, WorkloadRegistry.Load(_dir.Path).Count);
        File.WriteAllText(_dir.File("workloads.json"), """{"format":2,"pods":[]}""");
        Assert.Equal(0, WorkloadRegistry.Load(_dir.Path).Count);
    }

    public void Dispose() => _dir.Dispose();

    private sealed class Agent : IDisposable, IAsyncDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly StreamReader _reader;
        private readonly string _path;
        private Socket? _listener;
        private RegistrationServer? _server;

        private Agent(string path)
        {
            _path = path;
            _socket.Connect(new UnixDomainSocketEndPoint(path));
            _reader = new StreamReader(new NetworkStream(_socket), Encoding.UTF8);
        }

        public static Task<Agent> ConnectAsync(TempDir dir, WorkloadRegistry registry, Func<IReadOnlyDictionary<IPAddress, long>>? requests = null)
        {
            var path = dir.File("mesh.sock");
            File.Delete(path);
            var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            var server = RegistrationServer.Start(listener, registry, TimeProvider.System, NullLoggerFactory.Instance, requests);
            return Task.FromResult(new Agent(path) { _listener = listener, _server = server });
        }

        /// <summary>Of a server that is the test's.</summary>
        public static Agent Of(TempDir dir) => new(dir.File("mesh.sock"));

        public Agent Again() => new(_path);

        public async Task<string?> AskAsync(string line, bool newline = true)
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(newline ? line + "\n" : line));
            return await ReadAsync();
        }

        public async Task<string?> ReadAsync()
        {
            try
            {
                return await Eventually.EndsAsync(_reader.ReadLineAsync());
            }
            catch (IOException)
            {
                return null;   // a reset is an end, too
            }
        }

        public void Dispose() => _socket.Dispose();

        public async ValueTask DisposeAsync()
        {
            _socket.Dispose();
            if (_server is not null)
                await _server.DisposeAsync();
            _listener?.Dispose();
        }
    }
}
