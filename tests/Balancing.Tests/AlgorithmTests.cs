using FsCheck;
using FsCheck.Fluent;
using Weft.Balancing.Algorithms;

namespace Weft.Balancing.Tests;

public class AlgorithmTests
{
    private static readonly Gen<int[]> Weights = Gen.Choose(1, 20).ListOf().Where(w => w.Count is > 0 and <= 30).Select(w => w.ToArray());

    private static string[] Keys(int count) => [.. Enumerable.Range(0, count).Select(i => $"10.244.0.{i}:8080")];

    private static EndpointState[] States(int count) => [.. Enumerable.Range(0, count).Select(_ => new EndpointState())];

    public static TheoryData<string> Names => ["round robin", "random", "least request", "least response time", "ring", "maglev", "bounded"];

    private static IBalancer Make(string name, int[] weights, EndpointState[] states) => name switch
    {
        "round robin" => new RoundRobin(weights),
        "random" => new WeightedRandom([.. weights.Select(w => (double)w)]),
        "least request" => new LeastRequest(states, weights),
        "least response time" => new LeastResponseTime(states, weights),
        "ring" => new RingHash(Keys(weights.Length), weights),
        "maglev" => new Maglev(Keys(weights.Length), weights, 4099),
        _ => new BoundedLoad(new RingHash(Keys(weights.Length), weights), states, weights),
    };

    [Theory, MemberData(nameof(Names))]
    public void A_choice_is_an_endpoint_and_never_one_that_was_tried_while_another_is_left(string name) =>
        Prop.ForAll(Weights.ToArbitrary(), Gen.Choose(0, 3).ToArbitrary(), (weights, tries) =>
        {
            var balancer = Make(name, weights, States(weights.Length));
            var rng = new Rng(7);
            var tried = default(TriedEndpoints);
            for (var attempt = 0; attempt <= tries; attempt++)
            {
                var picked = balancer.Pick(new PickRequest(42) { Tried = tried }, ref rng);
                if (attempt < weights.Length && (picked < 0 || picked >= weights.Length || tried.Contains(picked)))
                    return false;
                if (attempt >= weights.Length)
                    return picked == -1;
                tried = tried.With(picked);
            }

            return true;
        }).QuickCheckThrowOnFailure();

    [Theory, MemberData(nameof(Names))]
    public void Of_no_endpoints_none_is_chosen(string name)
    {
        var rng = new Rng(1);
        Assert.Equal(-1, Make(name, [], []).Pick(new PickRequest(1), ref rng));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_choice_allocates_nothing(string name)
    {
        var balancer = Make(name, [3, 1, 2, 2, 5, 1, 1, 1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], States(19));
        var rng = new Rng(1);
        Run(balancer, ref rng); // the first call may compile
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(balancer, ref rng);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Run(IBalancer balancer, ref Rng rng)
        {
            for (var i = 0; i < 1000; i++)
                balancer.Pick(new PickRequest((ulong)i) { Tried = default(TriedEndpoints).With(i % 19) }, ref rng);
        }
    }

    [Fact]
    public void Round_robin_gives_each_its_weight_in_every_cycle_and_no_bursts()
    {
        Assert.Equal([0, 0, 1, 0, 2, 0, 0], RoundRobin.Cycle([5, 1, 1]));
        Assert.Equal([0, 1, 2], RoundRobin.Cycle([7, 7, 7]));
        Prop.ForAll(Weights.ToArbitrary(), weights =>
        {
            var cycle = RoundRobin.Cycle(weights);
            var unit = cycle.Length / (double)weights.Sum();
            return weights.Select((w, i) => cycle.Count(c => c == i) == (int)Math.Round(w * unit)).All(equal => equal);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Round_robin_with_huge_weights_keeps_its_cycle_short_and_leaves_nobody_out()
    {
        var cycle = RoundRobin.Cycle([65_535, 65_534, 1]);
        Assert.InRange(cycle.Length, 1, RoundRobin.LongestCycle + 3);
        Assert.Equal([0, 1, 2], cycle.Distinct().Order());
    }

    [Fact]
    public async Task Round_robin_stays_exact_when_several_threads_share_it()
    {
        var balancer = new RoundRobin([1, 1, 1, 1]);
        var counts = new int[4];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            var rng = new Rng((ulong)thread);
            for (var i = 0; i < 10_000; i++)
                Interlocked.Increment(ref counts[balancer.Pick(default, ref rng)]);
        })));
        Assert.Equal([10_000, 10_000, 10_000, 10_000], counts);
    }

    [Theory, InlineData("random"), InlineData("ring"), InlineData("maglev")]
    public void Shares_follow_the_weights(string name)
    {
        int[] weights = [1, 2, 3, 4];
        var balancer = Make(name, weights, States(4));
        var rng = new Rng(3);
        var counts = new int[4];
        for (ulong i = 0; i < 40_000; i++)
            counts[balancer.Pick(new PickRequest(StableHash.Mix(i)), ref rng)]++;
        // A ring of 1,024 points is uneven by design: a point's share varies as 1/sqrt(points).
        var slack = name == "ring" ? 0.25 : 0.06;
        for (var i = 0; i < 4; i++)
            Assert.InRange(counts[i], 4_000 * weights[i] * (1 - slack), 4_000 * weights[i] * (1 + slack));
    }

    [Theory, InlineData("ring", 0.0), InlineData("maglev", 0.05)]
    public void When_an_endpoint_goes_the_keys_of_the_others_stay(string name, double mayMove)
    {
        var keys = Keys(10);
        int[] weights = [.. Enumerable.Repeat(1, 10)];
        var (all, less) = (Of(keys, weights), Of(keys[..9], weights[..9]));
        var rng = new Rng(1);
        var (moved, stayed) = (0, 0);
        for (ulong i = 0; i < 20_000; i++)
        {
            var request = new PickRequest(StableHash.Mix(i));
            var (before, after) = (all.Pick(request, ref rng), less.Pick(request, ref rng));
            if (before == 9)
                continue;
            if (before == after)
                stayed++;
            else
                moved++;
        }

        Assert.InRange(moved / (double)(moved + stayed), 0, mayMove);

        IBalancer Of(string[] k, int[] w) => name == "ring" ? new RingHash(k, w) : new Maglev(k, w);
    }

    [Theory, InlineData("ring"), InlineData("maglev")]
    public void The_order_in_which_endpoints_were_learned_does_not_matter(string name)
    {
        var keys = Keys(7);
        int[] weights = [1, 2, 3, 1, 2, 3, 4];
        int[] order = [6, 2, 0, 5, 1, 4, 3];
        var (a, b) = (Of(keys, weights), Of([.. order.Select(i => keys[i])], [.. order.Select(i => weights[i])]));
        var rng = new Rng(1);
        for (ulong i = 0; i < 2_000; i++)
        {
            var request = new PickRequest(StableHash.Mix(i));
            Assert.Equal(keys[a.Pick(request, ref rng)], keys[order[b.Pick(request, ref rng)]]);
        }

        IBalancer Of(string[] k, int[] w) => name == "ring" ? new RingHash(k, w) : new Maglev(k, w);
    }

    [Theory, InlineData(3), InlineData(100)]
    public void Least_request_evens_out_what_is_in_flight(int count)
    {
        var states = States(count);
        var balancer = new LeastRequest(states, [.. Enumerable.Repeat(1, count)]);
        var rng = new Rng(5);
        for (var i = 0; i < count * 100; i++)
            states[balancer.Pick(default, ref rng)].Started();
        // All in a scan: exactly even. Two choices: the longest queue is a few above the average, where chance alone gives 30.
        Assert.InRange(states.Max(s => s.Active), 100, count <= LeastRequest.FullScan ? 100 : 110);
    }

    // Once the heaviest had all of them.
    [Theory, InlineData(1), InlineData(10)]
    public void Least_request_gives_requests_that_come_one_by_one_by_weight(int copies)
    {
        int[] weights = [.. Enumerable.Repeat(new[] { 1, 1, 2 }, copies).SelectMany(w => w)];
        var balancer = new LeastRequest(States(weights.Length), weights);
        var rng = new Rng(11);
        var picked = new int[weights.Length];
        for (var i = 0; i < 20_000; i++)
            picked[balancer.Pick(default, ref rng)]++;
        var heavy = Enumerable.Range(0, picked.Length).Where(i => weights[i] == 2).Sum(i => picked[i]);
        Assert.InRange(heavy, 9_500, 10_500); // half of them, within seven standard deviations
    }

    [Fact]
    public void Least_response_time_leaves_the_slow_one_and_comes_back_when_its_peak_has_aged()
    {
        var states = States(2);
        var balancer = new LeastResponseTime(states, [1, 1]);
        var rng = new Rng(5);
        foreach (var (state, time) in states.Zip([1_000_000L, 500_000_000L]))
        {
            state.Started();
            state.Ended(time, now: 0);
        }

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(0, balancer.Pick(default, ref rng)));
        states[1].Started();
        states[1].Ended(500_000, now: 300_000_000_000); // five minutes later it is fast
        states[0].Started();
        Assert.Equal(1, balancer.Pick(default, ref rng));
    }

    [Fact]
    public void A_new_endpoint_is_asked_but_not_flooded_by_least_response_time()
    {
        var states = States(3);
        for (var i = 0; i < 2; i++)
        {
            states[i].Started();
            states[i].Ended(1_000_000, 0);
        }

        var balancer = new LeastResponseTime(states, [1, 1, 1]);
        var rng = new Rng(5);
        for (var i = 0; i < 300; i++)
            states[balancer.Pick(default, ref rng)].Started();
        Assert.All(states, s => Assert.Equal(100, s.Active));
    }

    [Fact]
    public void A_hot_key_overflows_to_others_when_loads_are_bounded()
    {
        var states = States(10);
        int[] weights = [.. Enumerable.Repeat(1, 10)];
        var balancer = new BoundedLoad(new RingHash(Keys(10), weights), states, weights);
        var rng = new Rng(5);
        for (var i = 0; i < 1_000; i++)
            states[balancer.Pick(new PickRequest(12345), ref rng)].Started();
        Assert.InRange(states.Max(s => s.Active), 100, 130);
        Assert.Equal(1_000, states.Sum(s => s.Active));
    }

    [Fact]
    public void The_hash_is_the_same_for_ever()
    {
        // Written down once: a change would move every key of every running mesh.
        Assert.Equal(StableHash.Of("weft"u8), StableHash.Of("weft"));
        Assert.NotEqual(StableHash.Of("weft"), StableHash.Of("Weft"));
        Assert.NotEqual(StableHash.Of(""), StableHash.Of("\0"));
        Assert.Equal(0x0u, StableHash.Mix(0));
        var seen = Enumerable.Range(0, 100_000).Select(i => StableHash.Of($"key-{i}")).ToHashSet();
        Assert.Equal(100_000, seen.Count);
    }
}
