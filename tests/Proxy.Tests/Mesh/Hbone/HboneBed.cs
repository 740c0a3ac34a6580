using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Mesh.Hbone;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Tests.Http2.Support;
using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Hbone;

/// <summary>The proxies of two nodes, each on a loop of its own, on addresses of loopback: those of pods of the second node are 127.1.0.x.</summary>
internal sealed class HboneBed : IInboundAcceptor, ILocalWorkloads, IMeshPeers, IDisposable
{
    public static readonly IPAddress Source = IPAddress.Parse("10.244.1.7"), PodA = IPAddress.Parse("127.1.0.1"), PodB = IPAddress.Parse("127.1.0.2");
    public static readonly WorkloadAccount Client = new("shop", "client"), A = new("shop", "a"), B = new("shop", "b");
    public static readonly LocalWorkload ClientPod = new("uid-client", "shop", "client-1", "client", default);

    private readonly List<Exception> _defects = [];
    private readonly EventLoop _near, _far;
    private readonly ConcurrentDictionary<IPAddress, LocalWorkload> _pods = new();
    private readonly TempDir _directory = new();

    public HboneBed(Func<HboneSettings, HboneSettings>? change = null, bool certificates = true)
    {
        _near = new("near", TimeProvider.System, Failed);
        _far = new("far", TimeProvider.System, Failed);
        var socket = Listener.Bind(new(IPAddress.Any, 0));
        var settings = new HboneSettings { Port = ((IPEndPoint)socket.LocalEndPoint!).Port };
        Settings = change?.Invoke(settings) ?? settings;
        (NearIdentities, FarIdentities) = (Identities("near"), Identities("far"));
        if (certificates)
        {
            Trust(NearIdentities, Authority);
            Trust(FarIdentities, Authority);
            Give(NearIdentities, Client, Authority);
            Give(FarIdentities, A, Authority);
            Give(FarIdentities, B, Authority);
        }

        _pods[PodA] = new("uid-a", "shop", "a-1", "a", default);
        _pods[PodB] = new("uid-b", "shop", "b-1", "b", default);
        Peers[Source] = Client.Identity("cluster.local");
        Connector = new(NearIdentities, Settings);
        Server = new(_far, new(FarIdentities, this, this, this), Settings);
        Server.Listen(socket);
        _near.Start();
        _far.Start();
    }

    public HboneSettings Settings { get; }

    public TestAuthority Authority { get; } = new();

    public MeshIdentities NearIdentities { get; }

    public MeshIdentities FarIdentities { get; }

    public HboneConnector Connector { get; }

    public HboneServer Server { get; }

    public HboneClient Connections => Connector.ClientOf(_near);

    public ConcurrentDictionary<IPAddress, string> Peers { get; } = new();

    /// <summary>What has come to workloads.</summary>
    public ConcurrentQueue<(IPEndPoint Source, IPEndPoint Destination, string? Identity)> Accepted { get; } = new();

    /// <summary>The workloads' ends.</summary>
    public BlockingCollection<Socket> Inbound { get; } = [];

    /// <summary>Workloads that send back what comes; otherwise the test has their ends.</summary>
    public bool Echoes { get; set; }

    public long NearMemory => Measure(_near);

    public long FarMemory => Measure(_far);

    public IPEndPoint Address(IPAddress pod) => new(pod, Settings.Port);

    public void Move(IPAddress address, LocalWorkload? to)
    {
        if (to is null)
            _pods.TryRemove(address, out _);
        else
            _pods[address] = to;
    }

    public static void Give(MeshIdentities identities, WorkloadAccount account, TestAuthority authority, Wanted? wanted = null)
    {
        using var certificate = authority.Issue((wanted ?? new()) with { Dns = [], Uris = [account.Identity("cluster.local")] });
        Assert.Null(identities.Store(account, Encoding.ASCII.GetString(certificate.KeyPem), Encoding.ASCII.GetString(certificate.ChainPem.Span)));
    }

    public static void Trust(MeshIdentities identities, params TestAuthority[] authorities) =>
        identities.SetBundle(new((identities.Bundle?.Version ?? 0) + 1, "cluster.local", string.Concat(authorities.Select(each => Encoding.ASCII.GetString(each.Pem)))));

    /// <summary>A connection of the client's pod to a port of a pod of the other node.</summary>
    public Socket Connect(IPAddress pod, int port = 80, WorkloadAccount? expected = null, IPAddress? source = null)
    {
        var account = expected ?? (pod.Equals(PodB) ? B : A);
        Socket? socket = null;
        OnNear(() =>
        {
            var fd = Connector.Connect(ClientPod, source ?? Source, new(pod, port), account.Identity("cluster.local"), _near);
            Assert.True(fd >= 0);
            socket = KernelEnd.Of(_near, fd);
        });
        return socket!;
    }

    public Socket TakeInbound() => Inbound.TryTake(out var socket, TimeSpan.FromSeconds(30)) ? socket : throw new TimeoutException("nothing came to the workload");

    /// <summary>One request on a connection of the client's identity, as no client of ours would write it.</summary>
    public async Task<RecordedResponse> AskAsync(IPAddress pod, RequestHead head)
    {
        var expected = (pod.Equals(PodB) ? B : A).Identity("cluster.local");
        var response = new RecordedResponse();
        EndpointPool? pool = null;
        OnNear(() =>
        {
            pool = new EndpointPool(_near, Address(pod), new() { Protocol = PoolProtocol.Http2, Tls = buffers => NearIdentities.Connect(Client, buffers, expected)! }, new Http2Streams(_near.Buffers));
            pool.Open(response)!.SendHead(head, end: false);
        });
        await Eventually.TrueAsync(() => response.Statuses.Count > 0 || response.Reset is not null);
        OnNear(() => pool!.Dispose());
        return response;
    }

    public static RequestHead Head(string authority, string? forwarded = null, string method = "CONNECT", string target = "/")
    {
        var head = new RequestHead { Method = Encoding.ASCII.GetBytes(method), Authority = Encoding.ASCII.GetBytes(authority), Target = Encoding.ASCII.GetBytes(target), Scheme = "https"u8 };
        if (forwarded is not null)
            head.Headers.Add("forwarded"u8, Encoding.ASCII.GetBytes(forwarded));
        return head;
    }

    public void OnNear(Action action) => _near.PostAsync(action).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();

    public void OnFar(Action action) => _far.PostAsync(action).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();

    public LocalWorkload? Find(IPAddress address) => _pods.GetValueOrDefault(address);

    public string? IdentityOf(IPAddress address) => Peers.GetValueOrDefault(address);

    public void Accept(int fd, IPEndPoint source, IPEndPoint destination, string? identity)
    {
        Accepted.Enqueue((source, destination, identity));
        if (!Echoes)
        {
            Inbound.Add(KernelEnd.Of(_far, fd));
            return;
        }

        var connection = new Connection(_far, fd, source, connecting: false) { HangUpIsLoss = true };
        connection.Protocol = new Echo(connection);
    }

    public static byte[] Read(Socket socket, int count)
    {
        var buffer = new byte[count];
        for (var at = 0; at < count;)
        {
            var got = socket.Receive(buffer.AsSpan(at));
            Assert.True(got > 0, $"the end after {at} of {count} bytes");
            at += got;
        }

        return buffer;
    }

    /// <summary>True: it was ended or cut, and nothing came.</summary>
    public static bool IsOver(Socket socket)
    {
        try
        {
            return socket.Receive(new byte[1]) == 0;
        }
        catch (SocketException cut) when (cut.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return true;
        }
    }

    public void Dispose()
    {
        OnFar(Server.CloseAll);
        OnNear(Connections.Drain);
        _near.Stop();
        _far.Stop();
        NearIdentities.Dispose();
        FarIdentities.Dispose();
        Authority.Dispose();
        _directory.Dispose();
        Assert.Empty(_defects);
    }

    private void Failed(Exception defect)
    {
        lock (_defects)
            _defects.Add(defect);
    }

    private MeshIdentities Identities(string name) => new(new IdentityFiles(_directory.File(name)), TimeProvider.System, Seeded.Random(1), NullLogger.Instance);

    private static long Measure(EventLoop loop)
    {
        var bytes = 0L;
        loop.PostAsync(() => bytes = loop.Buffers.InUse).Wait();
        return bytes;
    }

    private sealed class Echo(Connection connection) : IProtocol
    {
        public int OnData(ReadOnlySpan<byte> data)
        {
            connection.Write(data);
            if (connection.IsBlocked)
                connection.PauseReading();
            return data.Length;
        }

        public void OnEnd() => connection.CloseGracefully(peerMaySend: false);

        public void OnWritable() => connection.ResumeReading();

        public void OnTimeout()
        {
        }

        public void OnClosed()
        {
        }
    }
}
