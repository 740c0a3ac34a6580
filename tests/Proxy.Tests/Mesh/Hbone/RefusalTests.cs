using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Hbone;

/// <summary>Checklist 36, 39 and the rule that a proxy of the mesh opens nothing but its own pods.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly HboneBed _bed = new(settings => settings with { RetryMilliseconds = 200 });

    [Fact]
    public void A_server_of_another_authority()
    {
        using var other = new TestAuthority("Other authority");
        HboneBed.Give(_bed.FarIdentities, HboneBed.A, other);
        Refused();
    }

    [Fact]
    public void A_client_of_another_authority()
    {
        using var other = new TestAuthority("Other authority");
        HboneBed.Give(_bed.NearIdentities, HboneBed.Client, other);
        Refused();
    }

    [Fact]
    public void A_server_that_is_somebody_else()
    {
        using var client = _bed.Connect(HboneBed.PodA, expected: HboneBed.B);
        Assert.True(HboneBed.IsOver(client));
        Assert.Empty(_bed.Accepted);
    }

    [Fact]
    public void An_address_that_is_no_pods_is_closed_before_a_byte()
    {
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(_bed.Address(IPAddress.Parse("127.1.0.99")));
        Assert.True(HboneBed.IsOver(client));
        _bed.OnFar(() => Assert.Equal(1, _bed.Server.Rejected));
    }

    [Fact]
    public void Who_proves_nothing_holds_a_few_connections_and_no_more()
    {
        using var bed = new HboneBed(settings => settings with { MaxUnproven = 3 }) { Echoes = true };
        var silent = Enumerable.Range(0, 4).Select(_ =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
            socket.Connect(bed.Address(HboneBed.PodA));
            return socket;
        }).ToList();
        Assert.True(HboneBed.IsOver(silent[^1]));
        foreach (var socket in silent)
            socket.Dispose();
        for (var i = 0; i < 5; i++)
        {
            // Who has proved it does not count, and who has gone neither.
            HboneBed.Give(bed.NearIdentities, HboneBed.Client, bed.Authority);
            using var client = bed.Connect(HboneBed.PodA);
            client.Send("x"u8);
            HboneBed.Read(client, 1);
        }
    }

    [Theory]
    [InlineData("127.1.0.2:80", 403)] // another pod of the node
    [InlineData("127.0.0.1:6443", 403)]
    [InlineData("169.254.169.254:80", 403)]
    [InlineData("[::ffff:127.1.0.1]:80", 403)]
    [InlineData("web.shop.svc:80", 400)]
    [InlineData("127.1.0.1:0", 400)]
    [InlineData("127.1.1:80", 400)]
    [InlineData("127.1.0.01:80", 400)]
    [InlineData("0x7f.1.0.1:80", 400)]
    public async Task A_tunnel_to_anything_but_the_pod_is_refused(string authority, int status)
    {
        var response = await _bed.AskAsync(HboneBed.PodA, HboneBed.Head(authority));
        Assert.Equal([status], response.Statuses);
        Assert.True(response.Ended);
        Assert.Empty(_bed.Accepted);
    }

    [Fact]
    public async Task A_pods_other_address_is_its_own()
    {
        _bed.Move(IPAddress.Parse("fd00::1"), new("uid-a", "shop", "a-1", "a", default));
        var response = await _bed.AskAsync(HboneBed.PodA, HboneBed.Head("[fd00::1]:80"));
        Assert.Equal([200], response.Statuses);
        Assert.Equal("[fd00::1]:80", Assert.Single(_bed.Accepted).Destination.ToString());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("OPTIONS")]
    public async Task Other_requests_are_refused(string method) =>
        Assert.Equal([405], (await _bed.AskAsync(HboneBed.PodA, HboneBed.Head("127.1.0.1:80", method: method))).Statuses);

    [Theory]
    [InlineData("for=10.244.9.9", 503)] // nobody that is known
    [InlineData("for=10.244.1.8", 403)] // somebody else
    [InlineData("for=10.244.1.7:4000", 400)]
    [InlineData("for=10.244.1.7;by=127.0.0.1", 400)]
    [InlineData("for=10.244.1.8, for=10.244.1.7", 400)]
    [InlineData("for=\"10.244.1.7\"", 400)]
    [InlineData("for=10.244.1.07", 400)]
    [InlineData("10.244.1.7", 400)]
    [InlineData("for=unknown", 400)]
    public async Task A_source_that_is_not_of_the_peers_identity_is_refused(string forwarded, int status)
    {
        _bed.Peers[IPAddress.Parse("10.244.1.8")] = HboneBed.B.Identity("cluster.local");
        var response = await _bed.AskAsync(HboneBed.PodA, HboneBed.Head("127.1.0.1:80", forwarded));
        Assert.Equal([status], response.Statuses);
        Assert.Empty(_bed.Accepted);
    }

    [Fact]
    public async Task Two_sources_are_refused()
    {
        var head = HboneBed.Head("127.1.0.1:80", "for=10.244.1.7");
        head.Headers.Add("forwarded"u8, "for=10.244.1.8"u8);
        Assert.Equal([400], (await _bed.AskAsync(HboneBed.PodA, head)).Statuses);
    }

    [Fact]
    public async Task Without_a_source_it_is_where_the_connection_comes_from()
    {
        Assert.Equal([200], (await _bed.AskAsync(HboneBed.PodA, HboneBed.Head("127.1.0.1:80"))).Statuses);
        Assert.Equal("127.0.0.1", Assert.Single(_bed.Accepted).Source.Address.ToString());
    }

    [Fact]
    public void A_source_that_the_other_node_hears_of_a_little_late_is_waited_for()
    {
        using var bed = new HboneBed { Echoes = true };
        bed.Peers.Clear();
        using var client = bed.Connect(HboneBed.PodA);
        client.Send("x"u8);
        SpinWait.SpinUntil(() => Refusals(bed) > 0, TimeSpan.FromSeconds(30));
        bed.Peers[HboneBed.Source] = HboneBed.Client.Identity("cluster.local");
        Assert.Equal("x"u8, HboneBed.Read(client, 1));
    }

    [Fact]
    public void A_source_that_never_becomes_known_ends_the_connection()
    {
        _bed.Peers.Clear();
        Refused();
    }

    [Fact]
    public async Task A_connection_does_not_outlive_the_pod_that_it_was_made_for()
    {
        _bed.Echoes = true;
        using (var first = _bed.Connect(HboneBed.PodA))
        {
            first.Send("x"u8);
            HboneBed.Read(first, 1);
            // The address goes to a pod of another account: who expects the first one must not reach it on the connection that stands.
            _bed.Move(HboneBed.PodA, new("uid-new", "shop", "b-2", "b", default));
            using var second = _bed.Connect(HboneBed.PodA);
            Assert.True(HboneBed.IsOver(second));
        }

        Assert.Single(_bed.Accepted);
        using var right = _bed.Connect(HboneBed.PodA, expected: HboneBed.B);
        right.Send("y"u8);
        Assert.Equal("y"u8, HboneBed.Read(right, 1));
        await Eventually.TrueAsync(() => _bed.Accepted.Count == 2);
    }

    private void Refused()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        Assert.True(HboneBed.IsOver(client));
        Assert.Empty(_bed.Accepted);
    }

    private static long Refusals(HboneBed bed)
    {
        var refused = 0L;
        bed.OnFar(() => refused = bed.Server.Refused);
        return refused;
    }

    public void Dispose() => _bed.Dispose();
}
