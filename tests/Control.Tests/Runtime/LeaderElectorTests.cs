using Weft.Api;
using Weft.Api.Coordination;
using Weft.Client;
using Weft.Control.Tests.Cluster;
using Weft.Testing;

namespace Weft.Control.Tests.Runtime;

public class LeaderElectorTests
{
    private static readonly ObjectKey Key = new("kube-system", "leader");

    [Fact]
    public async Task One_leads_at_a_time_a_stopped_leader_hands_over_and_a_dead_one_is_waited_for()
    {
        await using var cluster = await TestCluster.StartAsync();
        var time = new ManualTime();
        using var stopA = new CancellationTokenSource();
        using var stopB = new CancellationTokenSource();
        var leading = new List<string>();

        var a = Elect("a", stopA.Token);
        await Eventually.TrueAsync(() => Leads("a"));
        var b = Elect("b", stopB.Token);

        // a renews while b tries: nothing changes hands.
        for (var i = 0; i < 10; i++)
        {
            var before = await RenewTimeAsync();
            await Eventually.TrueAsync(async () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
                return await RenewTimeAsync() != before;
            });
            Assert.False(Leads("b"));
        }

        await stopA.CancelAsync();
        await Eventually.EndsAsync(a);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Leads("b");
        });
        Assert.False(Leads("a"));
        await stopB.CancelAsync();
        await Eventually.EndsAsync(b);

        // A dead leader: its lease stays, and runs out.
        await cluster.Client.For<Lease>().PatchAsync(Key, Patch.Merge(new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["holderIdentity"] = "dead", ["leaseDurationSeconds"] = 15 } }), CancellationToken.None);
        using var stopC = new CancellationTokenSource();
        var c = Elect("c", stopC.Token);
        var started = time.GetTimestamp();
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(0.5));
            return Leads("c");
        });
        Assert.True(time.GetElapsedTime(started) >= TimeSpan.FromSeconds(15));
        await stopC.CancelAsync();
        await Eventually.EndsAsync(c);

        bool Leads(string who)
        {
            lock (leading)
                return leading.Contains(who);
        }

        async Task<string?> RenewTimeAsync() => (await cluster.Client.For<Lease>().GetAsync(Key, CancellationToken.None)).Spec.RenewTime?.ToString();

        Task Elect(string who, CancellationToken stopping) => new LeaderElector(cluster.Client, Key, who, time, Seeded.Random(who[0])).RunAsync(
            async lost =>
            {
                lock (leading)
                {
                    Assert.Empty(leading);
                    leading.Add(who);
                }

                await Task.Delay(Timeout.InfiniteTimeSpan, time, lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                lock (leading)
                    leading.Remove(who);
            }, stopping);
    }
}
