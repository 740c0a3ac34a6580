using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What pods send: by the address that it was meant for, and as the pod that it comes from.</summary>
public sealed class OutboundTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Service = "127.2.0.1";
    private readonly MeshBed _bed = new();
    private readonly Pod _one = new("one", "127.1.0.11"), _two = new("two", "127.1.0.12");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _one.Dispose();
        _two.Dispose();
    }

    private ConfigUnit[] Pods => [MeshBed.Workload("client", Client, "front"), MeshBed.Workload("one", _one.Address), MeshBed.Workload("two", _two.Address)];

    [Fact]
    public void Requests_go_to_the_host_whose_address_they_were_sent_to_and_come_from_the_client_itself()
    {
        _bed.Apply([.. Pods, .. MeshBed.Host("a.shop.svc.cluster.local", Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one)), .. MeshBed.Host("b.shop.svc.cluster.local", "127.2.0.2", 80, PortProtocol.Auto, MeshBed.Endpoint(_two))]);
        Assert.Equal((200, $"one {Client}"), _bed.Get(Client, Service, 80));
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, "127.2.0.2", 80));
    }

    [Fact]
    public void Headers_choose_among_subsets_and_weights_share()
    {
        const string Name = "a.shop.svc.cluster.local";
        ConfigUnit Subset(string version) => UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Name}:80/{version}" }, Host = Name, Port = 80, Labels = new ValueMap([new("v", version)]) });
        ForwardAction To(params (string Version, int Weight)[] shares) => new() { Clusters = shares.Select(share => new WeightedCluster { Cluster = $"{Name}:80/{share.Version}", Weight = share.Weight }).ToValueList() };
        _bed.Apply([
            .. Pods, .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one, ("v", "1")), MeshBed.Endpoint(_two, ("v", "2"))), Subset("1"), Subset("2"),
        ]);
        _bed.Apply(MeshBed.Routes(
            Name, 80,
            new RouteConfig { Name = "two", Matches = [new RouteMatch { Headers = [new NamedMatch("x-v", StringMatch.Exact("2"))] }], Action = To(("2", 1)) },
            new RouteConfig { Name = "split", Action = To(("1", 1), ("2", 1)) }));
        for (var i = 0; i < 5; i++)
            Assert.Equal($"two {Client}", _bed.Get(Client, Service, 80, headers: "x-v: 2\r\n").Body);
        using var socket = _bed.Dial(Client, Service, 80);
        var answers = Enumerable.Range(0, 100).Select(_ => MeshBed.Get(socket).Body).CountBy(body => body).ToDictionary();
        Assert.All(answers.Values, count => Assert.InRange(count, 25, 75));
        Assert.Equal(2, answers.Count);
    }

    [Fact]
    public void Nobody_that_is_not_known_may_send()
    {
        _bed.Apply([.. Pods, .. MeshBed.Host("a.shop.svc.cluster.local", Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one))]);
        using var stranger = _bed.Dial("127.1.9.9", Service, 80);
        MeshBed.AssertClosed(stranger);
    }

    [Fact]
    public void A_service_has_no_other_ports_than_its_own()
    {
        _bed.Apply([.. Pods, .. MeshBed.Host("a.shop.svc.cluster.local", Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one))]);
        using var socket = _bed.Dial(Client, Service, 81);
        MeshBed.AssertClosed(socket);
    }

    [Fact]
    public void Hosts_share_an_address_by_their_ports_and_whoever_has_it_comes_first()
    {
        ConfigUnit Sharing(string name, int port, params string[] shared) => UnitCodec.Destination(name, new DestinationUnit
        {
            Shared = shared.ToValueList(), Ports = [new DestinationPort { Port = port, Protocol = PortProtocol.Http, Routes = $"{name}:{port}" }],
        });
        const string A = "a.shop.svc.cluster.local", B = "b.shop.svc.cluster.local", Outside = "127.2.0.7";
        _bed.Apply([
            .. Pods, .. MeshBed.Host(A, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one)), .. MeshBed.Host(B, "127.2.0.2", 81, PortProtocol.Http, MeshBed.Endpoint(_two)),
            Sharing(A, 80, Outside, _two.Address), Sharing(B, 81, Outside),
        ]);
        Assert.Equal((200, $"one {Client}"), _bed.Get(Client, Outside, 80));
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, Outside, 81));
        // The other's port is left to the other, and a pod's address to the pod.
        _bed.Apply(Sharing(A, 81, Outside, _two.Address));
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, _two.Address, _two.Port));
        _bed.Remove(new UnitKey(UnitKind.Destination, A));
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, Outside, 81));
        // Whose name comes first does not have what an older one has.
        _bed.Apply(UnitCodec.Destination(A, new() { Shared = [Outside], Age = "2026-02-01T00:00:00", Ports = [new() { Port = 81, Protocol = PortProtocol.Http, Routes = $"{A}:81" }] }));
        _bed.Apply(UnitCodec.Destination(B, new() { Shared = [Outside], Age = "2026-01-01T00:00:00", Ports = [new() { Port = 81, Protocol = PortProtocol.Http, Routes = $"{B}:81" }] }));
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, Outside, 81));
    }

    [Fact]
    public void Bytes_for_a_host_without_endpoints_are_reset()
    {
        _bed.Apply([.. Pods, .. MeshBed.Host("a.shop.svc.cluster.local", Service, 80, PortProtocol.Tcp), .. MeshBed.Host("b.shop.svc.cluster.local", "127.2.0.2", 80, PortProtocol.Auto)]);
        foreach (var address in (string[])[Service, "127.2.0.2"])
        {
            using var socket = _bed.Dial(Client, address, 80);
            MeshBed.AssertReset(socket);
        }
    }

    /// <param name="judged">The pod has something to ask, so that a pair of sockets lies between.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_answer_that_was_cut_is_not_taken_for_a_whole_one(bool judged)
    {
        using var cutter = new Cutter("127.1.0.21");
        _bed.Apply([
            MeshBed.Workload("client", Client, "front"),
            UnitCodec.Policy("shop/front", new PolicyUnit { Authorization = new() { Name = "shop/front", Rules = [new() { From = [new() { Principals = ["cluster.local/ns/shop/sa/front"] }] }] } }),
            MeshBed.Workload("cutter", cutter.Address, more: unit => judged ? unit with { Policies = ["shop/front"] } : unit),
            .. MeshBed.Host("a.shop.svc.cluster.local", Service, 80, PortProtocol.Tcp, new EndpointConfig { Address = cutter.Address, Port = cutter.Port }),
        ]);
        using var cut = _bed.Dial(Client, Service, 80);
        cut.Send("cut"u8);
        Assert.Equal("half of", Read(cut, "half of".Length));
        MeshBed.AssertReset(cut);

        using var ended = _bed.Dial(Client, Service, 80);
        ended.Send("end"u8);
        Assert.Equal("half of", Read(ended, "half of".Length));
        Assert.Equal(0, ended.Receive(new byte[1]));
    }

    private static string Read(Socket socket, int length)
    {
        var buffer = new byte[length];
        for (var got = 0; got < length;)
        {
            var more = socket.Receive(buffer.AsSpan(got));
            Assert.NotEqual(0, more);
            got += more;
        }

        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>Answers half, and ends the connection as the client asks: `end`, or `cut` when the half has been read.</summary>
    private sealed class Cutter : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public Cutter(string address)
        {
            Address = address;
            _listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(address), 0));
            _listener.Listen(8);
            _ = AcceptAsync();
        }

        public string Address { get; }

        public int Port => ((System.Net.IPEndPoint)_listener.LocalEndPoint!).Port;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptAsync();
                    var word = new byte[3];
                    await client.ReceiveAsync(word);
                    await client.SendAsync("half of"u8.ToArray());
                    if (word.AsSpan().SequenceEqual("cut"u8))
                        client.LingerState = new LingerOption(true, 0);
                }
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
                // the end
            }
        }
    }

    [Fact]
    public void What_the_mesh_does_not_know_is_passed_on_but_for_those_who_may_call_known_hosts_only()
    {
        using var outside = new Pod("outside", "127.9.0.1");
        _bed.Apply(MeshBed.Workload("client", Client), MeshBed.Workload("shut", "127.1.0.2", more: unit => unit with { KnownHostsOnly = true }));
        Assert.StartsWith("outside ", _bed.Get(Client, outside.Address, outside.Port).Body, StringComparison.Ordinal);
        using var refused = _bed.Dial("127.1.0.2", outside.Address, outside.Port);
        MeshBed.AssertClosed(refused);
    }

    [Fact]
    public void A_host_without_addresses_is_found_by_the_name_that_the_client_says()
    {
        using var outside = new Pod("outside", "127.9.0.1");
        using var other = new Pod("other", "127.9.0.2");
        _bed.Apply([
            MeshBed.Workload("shut", Client, more: unit => unit with { KnownHostsOnly = true }),
            UnitCodec.Destination("api.example", new DestinationUnit { Ports = [new DestinationPort { Port = outside.Port, Protocol = PortProtocol.Http, Routes = $"api.example:{outside.Port}" }] }),
            .. MeshBed.Host("api.example", "127.2.0.9", outside.Port, PortProtocol.Http, new EndpointConfig { Address = other.Address, Port = other.Port })[1..],
        ]);
        using var socket = _bed.Dial(Client, outside.Address, outside.Port);
        Assert.Contains("other ", Support.EngineBed.Ask(socket, "GET / HTTP/1.1\r\nHost: api.example\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404", Support.EngineBed.Ask(socket, "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_is_reached_by_its_own_address()
    {
        _bed.Apply(Pods);
        Assert.Equal((200, $"one {Client}"), _bed.Get(Client, _one.Address, _one.Port));
    }

    [Fact]
    public void A_range_takes_nothing_that_goes_to_a_pod()
    {
        _bed.Apply([
            .. Pods, UnitCodec.Workload("entry/shop/vm", new WorkloadUnit { Addresses = ["127.1.0.99"], Namespace = "shop" }),
            .. MeshBed.Host("wide.example", "127.1.0.0/16", _one.Port, PortProtocol.Http, MeshBed.Endpoint(_two)),
        ]);
        Assert.Equal((200, $"one {Client}"), _bed.Get(Client, _one.Address, _one.Port));
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, "127.1.0.77", _one.Port));
        // A machine outside, of which anybody may write, is a part of the range as it was.
        Assert.Equal((200, $"two {Client}"), _bed.Get(Client, "127.1.0.99", _one.Port));
    }

    [Theory]
    [InlineData(PortProtocol.Auto)]
    [InlineData(PortProtocol.Tcp)]
    [InlineData(PortProtocol.Tls)]
    public void A_server_may_speak_first(PortProtocol protocol)
    {
        using var server = new Pod("mail", "127.1.0.13", "220 mail\r\n");
        _bed.Apply([.. Pods, MeshBed.Workload("mail", server.Address), .. MeshBed.Host("mail.shop.svc.cluster.local", Service, 25, protocol, MeshBed.Endpoint(server))]);
        using var socket = _bed.Dial(Client, Service, 25);
        Assert.Equal("220 mail\r\n", Read(socket));
        socket.Send("EHLO me\r\n"u8);
        Assert.Equal($"mail {Client} EHLO me\r\n", Read(socket));
    }

    [Fact]
    public async Task Endpoints_come_and_go_under_load_without_a_failed_request()
    {
        const string Name = "a.shop.svc.cluster.local";
        _bed.Apply([.. Pods, .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one))]);
        using var stop = new CancellationTokenSource();
        var requests = 0;
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var socket = _bed.Dial(Client, Service, 80);
            var own = new HashSet<string>();
            while (!stop.IsCancellationRequested)
            {
                var (status, body) = MeshBed.Get(socket);
                Assert.Equal(200, status);
                own.Add(body);
                Interlocked.Increment(ref requests);
            }

            return own;
        })).ToArray();
        for (var i = 0; i < 60; i++)
        {
            // Each step is met by requests.
            var before = Volatile.Read(ref requests);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref requests) > before + 8 || clients.Any(client => client.IsCompleted), TimeSpan.FromSeconds(20)));
            _bed.Apply(MeshBed.Backends(Name, 80, (i % 3) switch { 0 => [MeshBed.Endpoint(_two)], 1 => [MeshBed.Endpoint(_one), MeshBed.Endpoint(_two)], _ => [MeshBed.Endpoint(_one)] }));
        }

        await stop.CancelAsync();
        var bodies = await Task.WhenAll(clients);
        Assert.Equal(2, bodies.SelectMany(own => own).Distinct().Count());
    }

    [Fact]
    public void A_unit_that_does_not_work_is_rejected_and_its_old_state_serves()
    {
        const string Name = "a.shop.svc.cluster.local";
        _bed.Apply([.. Pods, .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one))]);
        var rejected = _bed.Apply(
            MeshBed.Routes(Name, 80, new RouteConfig { Name = "bad", Action = new DirectResponse { Status = 7 } }), MeshBed.Backends(Name, 80, MeshBed.Endpoint(_two)));
        var one = Assert.Single(rejected);
        Assert.Equal((new UnitKey(UnitKind.Routes, $"{Name}:80"), "hosts[0].routes[0].action.status"), (one.Key, one.Path.TrimStart('.')));
        Assert.Equal($"two {Client}", _bed.Get(Client, Service, 80).Body);
    }

    [Fact]
    public void Routes_of_an_open_connection_are_the_newest()
    {
        const string Name = "a.shop.svc.cluster.local";
        _bed.Apply([.. Pods, .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one))]);
        using var socket = _bed.Dial(Client, Service, 80);
        Assert.Equal(200, MeshBed.Get(socket).Status);
        _bed.Apply(MeshBed.Routes(Name, 80, new RouteConfig { Name = "gone", Action = new DirectResponse { Status = 410 } }));
        Assert.Equal(410, MeshBed.Get(socket).Status);
        _bed.Remove(new UnitKey(UnitKind.Destination, Name));
        Assert.Equal(404, MeshBed.Get(socket).Status);
    }

    private static string Read(Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.Latin1.GetString(buffer, 0, socket.Receive(buffer));
    }
}
