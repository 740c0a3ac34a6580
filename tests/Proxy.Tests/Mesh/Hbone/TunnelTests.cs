using System.Net.Sockets;
using System.Security.Cryptography;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Hbone;

public sealed class TunnelTests : IDisposable
{
    private readonly HboneBed _bed = new();

    [Fact]
    public void Bytes_reach_the_workload_with_the_sources_identity_and_address()
    {
        using var client = _bed.Connect(HboneBed.PodA, 8080);
        client.Send("hello"u8);
        using var workload = _bed.TakeInbound();
        Assert.Equal("hello"u8, HboneBed.Read(workload, 5));
        workload.Send("and back"u8);
        Assert.Equal("and back"u8, HboneBed.Read(client, 8));
        var (source, destination, identity) = Assert.Single(_bed.Accepted);
        Assert.Equal(("10.244.1.7:0", "127.1.0.1:8080", "spiffe://cluster.local/ns/shop/sa/client"), (source.ToString(), destination.ToString(), identity));
    }

    [Fact]
    public async Task Megabytes_both_ways_with_readers_that_are_slow_stay_in_bounded_memory()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        using var workload = _bed.TakeInbound();
        var there = RandomNumberGenerator.GetBytes(8 << 20);
        var back = RandomNumberGenerator.GetBytes(8 << 20);
        var sending = Task.WhenAll(Task.Run(() => client.Send(there)), Task.Run(() => workload.Send(back)));

        // Nobody reads: what has gone out stays where the sockets and windows are full.
        var (near, far) = (0L, 0L);
        await Eventually.TrueAsync(() =>
        {
            var before = (near, far);
            (near, far) = (_bed.NearMemory, _bed.FarMemory);
            return near > 0 && before == (near, far);
        });
        Assert.False(sending.IsCompleted);
        Assert.InRange(near, 1, 2 << 20);
        Assert.InRange(far, 1, 2 << 20);

        var received = await Eventually.EndsAsync(Task.WhenAll(
            Task.Run(() => HboneBed.Read(workload, there.Length)),
            Task.Run(() => HboneBed.Read(client, back.Length))));
        await sending;
        Assert.True(received[0].AsSpan().SequenceEqual(there));
        Assert.True(received[1].AsSpan().SequenceEqual(back));
    }

    [Fact]
    public void Each_direction_ends_by_itself()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        using var workload = _bed.TakeInbound();
        client.Send("question"u8);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("question"u8, HboneBed.Read(workload, 8));
        Assert.Equal(0, workload.Receive(new byte[1]));
        workload.Send("answer"u8);
        Assert.Equal("answer"u8, HboneBed.Read(client, 6));
        workload.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, client.Receive(new byte[1]));
        AssertNoTunnels();
    }

    [Fact]
    public void The_workloads_direction_may_end_first()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        using var workload = _bed.TakeInbound();
        workload.Send("banner"u8);
        workload.Shutdown(SocketShutdown.Send);
        Assert.Equal("banner"u8, HboneBed.Read(client, 6));
        Assert.Equal(0, client.Receive(new byte[1]));
        client.Send("late"u8);
        Assert.Equal("late"u8, HboneBed.Read(workload, 4));
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, workload.Receive(new byte[1]));
        AssertNoTunnels();
    }

    [Fact]
    public async Task A_workload_that_goes_takes_the_clients_end_with_it()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        var workload = _bed.TakeInbound();
        workload.Dispose();
        Assert.True(HboneBed.IsOver(client));
        await UntilCut(client);
        AssertNoTunnels();
    }

    [Fact]
    public async Task A_client_that_goes_takes_the_workloads_end_with_it()
    {
        var client = _bed.Connect(HboneBed.PodA);
        using var workload = _bed.TakeInbound();
        client.Dispose();
        Assert.True(HboneBed.IsOver(workload));
        await UntilCut(workload);
        AssertNoTunnels();
    }

    [Fact]
    public async Task Tunnels_end_with_their_connection()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        using var workload = _bed.TakeInbound();
        _bed.OnFar(_bed.Server.CloseAll);
        Assert.True(HboneBed.IsOver(client));
        Assert.True(HboneBed.IsOver(workload));
        await UntilCut(client);
        AssertNoTunnels();
    }

    [Fact]
    public void A_thousand_tunnels_at_once_share_a_few_connections()
    {
        _bed.Echoes = true;
        var clients = Enumerable.Range(0, 1000).Select(i => _bed.Connect(HboneBed.PodA, 1000 + i)).ToList();
        for (var i = 0; i < clients.Count; i++)
            clients[i].Send(BitConverter.GetBytes(i));
        for (var i = 0; i < clients.Count; i++)
            Assert.Equal(BitConverter.GetBytes(i), HboneBed.Read(clients[i], 4));
        Assert.Equal(1000, _bed.Accepted.Select(each => each.Destination.Port).Distinct().Count());
        _bed.OnNear(() => Assert.InRange(_bed.Connections.Opened, 8, 10));
        foreach (var client in clients)
            client.Shutdown(SocketShutdown.Send);
        foreach (var client in clients)
        {
            Assert.Equal(0, client.Receive(new byte[1]));
            client.Dispose();
        }

        AssertNoTunnels();
    }

    [Fact]
    public void One_connection_serves_tunnel_after_tunnel()
    {
        _bed.Echoes = true;
        for (var i = 0; i < 50; i++)
        {
            using var client = _bed.Connect(HboneBed.PodA);
            client.Send("x"u8);
            HboneBed.Read(client, 1);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, client.Receive(new byte[1]));
        }

        _bed.OnNear(() => Assert.Equal(1, _bed.Connections.Opened));
    }

    [Fact]
    public async Task Tunnels_whose_readers_have_stopped_do_not_stop_their_neighbours()
    {
        var stopped = new List<Socket>();
        for (var i = 0; i < 100; i++)
        {
            var client = _bed.Connect(HboneBed.PodA);
            stopped.Add(client);
            stopped.Add(_bed.TakeInbound());
            client.Blocking = false;
            var chunk = new byte[64 << 10];
            for (var sent = 0; sent < 1 << 20;)
            {
                try
                {
                    sent += client.Send(chunk);
                }
                catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
                {
                    break;
                }
            }
        }

        using var neighbour = _bed.Connect(HboneBed.PodA);
        using var workload = _bed.TakeInbound();
        var sending = Task.Run(() => neighbour.Send(new byte[1 << 20]));
        HboneBed.Read(workload, 1 << 20);
        await sending;
        _bed.OnNear(() => Assert.Equal(1, _bed.Connections.Opened));
        foreach (var socket in stopped)
            socket.Dispose();
    }

    [Fact]
    public void A_certificate_that_comes_a_little_late_is_waited_for_on_both_sides()
    {
        using var bed = new HboneBed(certificates: false) { Echoes = true };
        using var client = bed.Connect(HboneBed.PodA);
        client.Send("x"u8);
        Assert.Equal([HboneBed.Client], bed.NearIdentities.Plan().Due);
        HboneBed.Trust(bed.NearIdentities, bed.Authority);
        HboneBed.Give(bed.NearIdentities, HboneBed.Client, bed.Authority);
        SpinWait.SpinUntil(() => bed.FarIdentities.Plan().Due.Count > 0, TimeSpan.FromSeconds(30));
        Assert.Equal([HboneBed.A], bed.FarIdentities.Plan().Due);
        HboneBed.Trust(bed.FarIdentities, bed.Authority);
        HboneBed.Give(bed.FarIdentities, HboneBed.A, bed.Authority);
        Assert.Equal("x"u8, HboneBed.Read(client, 1));
    }

    [Fact]
    public void Without_a_certificate_the_connection_ends_after_a_while()
    {
        using var bed = new HboneBed(settings => settings with { IdentityMilliseconds = 100 }, certificates: false);
        using var client = bed.Connect(HboneBed.PodA);
        Assert.True(HboneBed.IsOver(client));
        using var raw = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        raw.Connect(bed.Address(HboneBed.PodA));
        Assert.True(HboneBed.IsOver(raw));
    }

    [Fact]
    public void A_drained_server_serves_what_is_open_and_the_client_goes_elsewhere()
    {
        _bed.Echoes = true;
        using var open = _bed.Connect(HboneBed.PodA);
        open.Send("x"u8);
        HboneBed.Read(open, 1);
        _bed.OnFar(_bed.Server.Drain);
        open.Send("y"u8);
        Assert.Equal("y"u8, HboneBed.Read(open, 1));
        using var late = _bed.Connect(HboneBed.PodA);
        Assert.True(HboneBed.IsOver(late)); // nobody listens any more
        open.Send("z"u8);
        Assert.Equal("z"u8, HboneBed.Read(open, 1));
    }

    [Fact]
    public void A_renewed_certificate_is_used_for_new_tunnels_while_old_ones_go_on()
    {
        _bed.Echoes = true;
        using var before = _bed.Connect(HboneBed.PodA);
        before.Send("x"u8);
        HboneBed.Read(before, 1);
        HboneBed.Give(_bed.NearIdentities, HboneBed.Client, _bed.Authority);
        using var after = _bed.Connect(HboneBed.PodA);
        after.Send("y"u8);
        HboneBed.Read(after, 1);
        before.Send("z"u8);
        Assert.Equal("z"u8, HboneBed.Read(before, 1));
        _bed.OnFar(() => Assert.Equal(2, _bed.Server.Connections));
    }

    // The end of one direction is all that a reader is told at first; who writes hears that nobody is there.
    private static Task UntilCut(Socket socket) => Eventually.TrueAsync(() =>
    {
        try
        {
            socket.Send("?"u8);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    });

    private void AssertNoTunnels()
    {
        var left = -1;
        SpinWait.SpinUntil(() =>
        {
            _bed.OnNear(() => left = _bed.Connections.Tunnels);
            _bed.OnFar(() => left += _bed.Server.Tunnels);
            return left == 0;
        }, TimeSpan.FromSeconds(30));
        Assert.Equal(0, left);
    }

    public void Dispose() => _bed.Dispose();
}
