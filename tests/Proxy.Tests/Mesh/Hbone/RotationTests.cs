using System.Collections.Concurrent;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Hbone;

/// <summary>Certificates and roots change under load. Each tunnel counts: one that fails fails the test.</summary>
public sealed class RotationTests : IDisposable
{
    private readonly HboneBed _bed = new() { Echoes = true };

    [Fact]
    public async Task Certificates_that_are_renewed_all_the_time_fail_no_handshake()
    {
        await UnderLoad(() =>
        {
            for (var i = 0; i < 40; i++)
            {
                HboneBed.Give(_bed.NearIdentities, HboneBed.Client, _bed.Authority);
                HboneBed.Give(_bed.FarIdentities, HboneBed.A, _bed.Authority);
                HboneBed.Trust(_bed.FarIdentities, _bed.Authority);
            }
        });
    }

    [Fact]
    public async Task A_root_is_changed_node_by_node_without_a_failed_handshake()
    {
        await UnderLoad(() =>
        {
            var old = _bed.Authority;
            for (var i = 0; i < 5; i++)
            {
                var next = new TestAuthority($"Root {i}");
                // Trusted everywhere, then used, one node after the other, then the old one goes.
                HboneBed.Trust(_bed.NearIdentities, old, next);
                HboneBed.Trust(_bed.FarIdentities, old, next);
                HboneBed.Give(_bed.FarIdentities, HboneBed.A, next);
                Handshakes(3);
                HboneBed.Give(_bed.NearIdentities, HboneBed.Client, next);
                HboneBed.Give(_bed.FarIdentities, HboneBed.B, next);
                Handshakes(3);
                HboneBed.Trust(_bed.FarIdentities, next);
                HboneBed.Trust(_bed.NearIdentities, next);
                Handshakes(3);
                if (old != _bed.Authority)
                    old.Dispose();
                old = next;
            }
        });
    }

    // Each renewal makes the client connect anew.
    private void Handshakes(int count)
    {
        for (var i = 0; i < count; i++)
            Once();
    }

    private async Task UnderLoad(Action change)
    {
        var done = false;
        var failures = new ConcurrentBag<Exception>();
        var tunnels = 0;
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!Volatile.Read(ref done))
            {
                try
                {
                    Once();
                    Interlocked.Increment(ref tunnels);
                }
                catch (Exception failed)
                {
                    failures.Add(failed);
                }
            }
        })).ToArray();
        await Task.Run(change);
        Volatile.Write(ref done, true);
        await Eventually.EndsAsync(Task.WhenAll(load));
        Assert.Empty(failures);
        Assert.True(tunnels > 10, $"{tunnels} tunnels are no load");
        _bed.OnFar(() => Assert.Equal(0, _bed.Server.Refused));
    }

    private void Once()
    {
        using var client = _bed.Connect(HboneBed.PodA);
        client.Send("ping"u8);
        Assert.Equal("ping"u8, HboneBed.Read(client, 4));
        // As a program closes its connection: without it the tunnel would be cut, and of cuts there may only be so many.
        client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal(0, client.Receive(new byte[1]));
    }

    public void Dispose() => _bed.Dispose();
}
