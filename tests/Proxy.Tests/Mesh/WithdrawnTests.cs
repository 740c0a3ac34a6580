using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What a proxy says of endpoints that it sends nothing to any more.</summary>
public sealed class WithdrawnTests
{
    private const string Client = "127.1.4.1", Address = "127.2.4.1", HostName = "web.shop.svc.cluster.local";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_is_draining_until_its_last_request_is_answered_and_its_idle_connections_are_closed_at_once(bool isListed)
    {
        await using var bed = new MeshBed();
        using var ending = new SilentPod("127.1.4.2");
        using var other = new Pod("other", "127.1.4.3");
        bed.Apply([MeshBed.Workload("client", Client), .. MeshBed.Host(HostName, Address, 80, PortProtocol.Http, ending.Endpoint)]);

        // One connection with a request, and one without: both to the pod that is to end.
        using var idle = bed.Dial(Client, Address, 80);
        idle.Send("GET /first HTTP/1.1\r\nHost: any\r\n\r\n"u8);
        using var first = ending.Accept();
        using var busy = bed.Dial(Client, Address, 80);
        busy.Send("GET /second HTTP/1.1\r\nHost: any\r\n\r\n"u8);
        using var second = ending.Accept();
        SilentPod.Answer(first);
        EngineBed.ReadResponse(idle);

        bed.Apply(MeshBed.Backends(HostName, 80, isListed ? [ending.Endpoint with { Draining = true }, MeshBed.Endpoint(other)] : [MeshBed.Endpoint(other)]));
        Assert.Equal([ending.Address], bed.Proxy.Draining);
        Assert.Equal(0, first.Receive(new byte[1]));
        Assert.StartsWith("other", MeshBed.Get(idle).Body, StringComparison.Ordinal);
        SilentPod.Answer(second);
        Assert.Contains("200 OK", EngineBed.ReadResponse(busy), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => bed.Proxy.Draining.Count == 0);
    }

    [Fact]
    public async Task Connections_of_TCP_are_not_waited_for()
    {
        await using var bed = new MeshBed();
        using var ending = new Pod("ending", "127.1.4.5", greeting: "hello ");
        bed.Apply([MeshBed.Workload("client", Client), .. MeshBed.Host(HostName, Address, 80, PortProtocol.Tcp, MeshBed.Endpoint(ending))]);
        using var socket = bed.Dial(Client, Address, 80);
        Assert.True(socket.Receive(new byte[6]) > 0);
        bed.Apply(MeshBed.Backends(HostName, 80));
        Assert.Empty(bed.Proxy.Draining);
        socket.Send("x"u8);
        Assert.True(socket.Receive(new byte[64]) > 0);
    }

    /// <summary>A server that answers when the test says so.</summary>
    private sealed class SilentPod : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public SilentPod(string address)
        {
            Address = address;
            _listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            _listener.Listen();
        }

        public string Address { get; }

        public Config.Model.EndpointConfig Endpoint => new() { Address = Address, Port = ((IPEndPoint)_listener.LocalEndPoint!).Port, Identity = "spiffe://cluster.local/ns/shop/sa/default" };

        /// <summary>A connection whose request has come.</summary>
        public Socket Accept()
        {
            var client = _listener.Accept();
            client.ReceiveTimeout = 20_000;
            Assert.True(client.Receive(new byte[4096]) > 0);
            return client;
        }

        public static void Answer(Socket client) => client.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8);

        public void Dispose() => _listener.Dispose();
    }
}
