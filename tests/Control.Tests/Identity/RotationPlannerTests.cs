using Weft.Control.Identity;
using Weft.Testing;

namespace Weft.Control.Tests.Identity;

public sealed class RotationPlannerTests
{
    private static readonly RotationSettings Settings = new();
    private static readonly DateTimeOffset Start = ManualTime.Start;
    private int _made;

    [Fact]
    public void The_first_root_signs_at_once()
    {
        var state = Settle(AuthorityState.Empty, null, Start);
        Assert.Equal(("own-1", 1L), (state.Signer!.Id, state.BundleVersion));
        Assert.Empty(RotationPlanner.Plan(state, null, Start, Settings));
    }

    [Theory]
    [InlineData(20, 5)]
    [InlineData(30, 7.5)]
    [InlineData(86_400, 300)]
    public void A_certificate_of_any_life_is_due_for_renewal_after_its_beginning_and_before_its_end(int life, double skew)
    {
        var settings = RotationSettings.Of(TimeSpan.FromSeconds(life));
        Assert.Equal((life, skew), ((int)settings.CertificateLife.TotalSeconds, settings.Skew.TotalSeconds));
        // Half of the whole, a tenth of it sooner: as the proxies renew.
        Assert.True((settings.CertificateLife + settings.Skew) * 0.4 > settings.Skew);
    }

    [Fact]
    public void Before_the_first_certificate_an_import_takes_over_at_once_and_leaves_nothing_of_the_own_root()
    {
        var state = Settle(Settle(AuthorityState.Empty, null, Start), Imported("ours"), Start);
        Assert.Equal("ours", state.Signer!.Id);
        Assert.Equal("roots of ours\n", state.Bundle);
    }

    [Fact]
    public void An_imported_root_is_trusted_for_a_certificates_life_before_it_signs_and_the_old_one_for_a_life_after()
    {
        var state = Signed(Settle(AuthorityState.Empty, null, Start));
        var imported = Imported("ours");
        state = Settle(state, imported, Start);
        Assert.Equal(("own-1", "roots of own-1\nroots of ours\n"), (state.Signer!.Id, state.Bundle));

        var before = Start + Settings.Overlap - TimeSpan.FromSeconds(1);
        Assert.Empty(RotationPlanner.Plan(state, imported, before, Settings));
        var changeover = Start + Settings.Overlap;
        state = Signed(Settle(state, imported, changeover));
        Assert.Equal(("ours", "roots of own-1\nroots of ours\n"), (state.Signer!.Id, state.Bundle));

        var end = changeover + Settings.CertificateLife + Settings.Skew;
        Assert.Empty(RotationPlanner.Plan(state, imported, end - TimeSpan.FromSeconds(1), Settings));
        state = Settle(state, imported, end);
        Assert.Equal("roots of ours\n", state.Bundle);
    }

    [Fact]
    public void An_own_root_near_its_end_is_followed_by_another()
    {
        var state = Signed(Settle(AuthorityState.Empty, null, Start));
        var due = Start + Settings.RootLife - Settings.RootAhead;
        Assert.Empty(RotationPlanner.Plan(state, null, due - TimeSpan.FromHours(1), Settings));
        state = Settle(state, null, due);
        Assert.Equal(("own-1", 2), (state.Signer!.Id, state.Roots.Length));
        state = Settle(state, null, due + Settings.Overlap);
        Assert.Equal("own-2", state.Signer!.Id);
    }

    [Fact]
    public void An_import_that_is_withdrawn_before_it_signed_is_not_trusted_any_more()
    {
        var state = Settle(Signed(Settle(AuthorityState.Empty, null, Start)), Imported("ours"), Start);
        Assert.Equal("roots of own-1\n", Settle(state, null, Start + TimeSpan.FromHours(1)).Bundle);
    }

    [Fact]
    public void Another_intermediate_of_the_same_roots_signs_at_once()
    {
        var state = Signed(Settle(AuthorityState.Empty, Imported("first") with { Roots = "same\n" }, Start));
        var later = Start + TimeSpan.FromDays(30);
        state = Settle(state, Imported("second") with { Roots = "same\n" }, later);
        Assert.Equal(("second", 1L), (state.Signer!.Id, state.BundleVersion));
    }

    [Fact]
    public void An_expired_import_is_none()
    {
        var state = Settle(AuthorityState.Empty, Imported("old") with { NotAfter = Start }, Start);
        Assert.Equal("own-1", state.Signer!.Id);
    }

    /// <summary>
    /// Whatever is imported and withdrawn when: every certificate that has not ended is of a root in the bundle, and one that is issued now is of a root that also those proxies
    /// know that heard of the bundle a certificate's life ago and not since.
    /// </summary>
    [Fact]
    public void No_certificate_is_ever_met_by_a_proxy_that_does_not_know_its_root()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = Seeded.Random(seed);
            var state = AuthorityState.Empty;
            MeshRoot? imported = null;
            List<(DateTimeOffset At, string Bundle)> bundles = [];
            List<(DateTimeOffset At, string Roots)> issued = [];
            for (var hour = 0; hour < 24 * 40; hour++)
            {
                var now = Start + TimeSpan.FromHours(hour);
                if (random.Next(30) == 0)
                    imported = random.Next(3) == 0 ? null : Imported("i" + random.Next(3));
                state = Settle(state, imported, now);
                bundles.Add((now, state.Bundle));
                if (hour > 3)
                {
                    state = Signed(state);
                    issued.Add((now, state.Signer!.Roots));
                }

                var known = bundles.Where(each => each.At >= now - Settings.CertificateLife && each.At >= Start + TimeSpan.FromHours(4)).ToList();
                Assert.All(known, each => Assert.Contains(state.Signer!.Roots, each.Bundle, StringComparison.Ordinal));
                Assert.All(issued.Where(each => each.At + Settings.CertificateLife > now), each => Assert.Contains(each.Roots, state.Bundle, StringComparison.Ordinal));
                Assert.True(state.Roots.Length <= 6, $"seed {seed}: {state.Roots.Length} roots");
            }
        }
    }

    private AuthorityState Settle(AuthorityState state, MeshRoot? imported, DateTimeOffset now)
    {
        for (var rounds = 0; RotationPlanner.Plan(state, imported, now, Settings) is { IsEmpty: false } steps; rounds++)
        {
            Assert.True(rounds < 5, "the plan does not come to an end");
            foreach (var step in steps)
                state = RotationPlanner.Apply(state, step, now, () => Root($"own-{++_made}", now + Settings.RootLife));
        }

        return state;
    }

    private static AuthorityState Signed(AuthorityState state) => state with { Roots = [.. state.Roots.Select(root => root.Signs ? root with { HasSigned = true } : root)] };

    private static MeshRoot Imported(string id) => Root(id, Start + TimeSpan.FromDays(1000)) with { Imported = true };

    private static MeshRoot Root(string id, DateTimeOffset notAfter) => new() { Id = id, Roots = $"roots of {id}\n", NotAfter = notAfter };
}
