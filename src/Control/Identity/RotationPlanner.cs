using System.Collections.Immutable;

namespace Weft.Control.Identity;

/// <summary>How long things last.</summary>
public sealed record RotationSettings
{
    /// <summary>Of a workload's certificate: Istio's default, too.</summary>
    public TimeSpan CertificateLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>With certificates of this life. Of short ones a quarter goes before their beginning: renewal is at half of the whole, which five minutes would put into the past.</summary>
    public static RotationSettings Of(TimeSpan certificateLife) => new RotationSettings() is var usual && certificateLife / 4 < usual.Skew
        ? usual with { CertificateLife = certificateLife, Skew = certificateLife / 4 }
        : usual with { CertificateLife = certificateLife };

    /// <summary>Of an own root, as Istio and kubeadm have it.</summary>
    public TimeSpan RootLife { get; init; } = TimeSpan.FromDays(3650);

    /// <summary>So long before its end an own root is followed by another: far more than a machine is switched off for.</summary>
    public TimeSpan RootAhead { get; init; } = TimeSpan.FromDays(365);

    /// <summary>A clock that is a little behind must not refuse a new certificate, one that is a little ahead no old one.</summary>
    public TimeSpan Skew { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Between the day on which a root is trusted and its first certificate. The life of a certificate: a proxy that was away for all of that time, and so has not heard of
    /// the new root, has no certificate any more with which it could meet one of the new root.
    /// </summary>
    public TimeSpan Overlap => CertificateLife;

    /// <summary>So often is looked for what is due. Dates of usual roots are days apart; where certificates are short everything is.</summary>
    public TimeSpan Look => CertificateLife / 10 is var tenth && tenth < LongestLook ? tenth : LongestLook;

    private static TimeSpan LongestLook => TimeSpan.FromMinutes(10);
}

public abstract record RotationStep
{
    /// <summary>A root of this mesh's own is made, and trusted from now on.</summary>
    public sealed record Create : RotationStep;

    /// <summary>It is trusted from now on.</summary>
    public sealed record Trust(MeshRoot Root) : RotationStep;

    /// <summary>It signs from now on, and whoever did does not.</summary>
    public sealed record Sign(string Id) : RotationStep;

    /// <summary>Nobody trusts it any more.</summary>
    public sealed record Drop(string Id) : RotationStep;
}

/// <summary>What is to be done about the mesh's roots now. A root is trusted everywhere before its first certificate is used, and until after its last one has ended.</summary>
public static class RotationPlanner
{
    /// <param name="imported">What the cluster's `cacerts` holds, if it is usable; null: the mesh's own root is to sign.</param>
    public static ImmutableArray<RotationStep> Plan(AuthorityState state, MeshRoot? imported, DateTimeOffset now, RotationSettings settings)
    {
        if (imported?.NotAfter <= now)
            imported = null;
        var steps = ImmutableArray.CreateBuilder<RotationStep>();
        var wanted = imported is null ? Own(state, now, settings) : state.Find(imported.Id);
        if (wanted is null)
        {
            steps.Add(imported is null ? new RotationStep.Create() : new RotationStep.Trust(TrustedAs(state, imported, now)));
            return steps.ToImmutable(); // the rest is planned with it
        }

        if (!wanted.Signs && MaySign(state, wanted, now, settings))
        {
            steps.Add(new RotationStep.Sign(wanted.Id));
            return steps.ToImmutable();
        }

        foreach (var root in state.Roots)
        {
            if (root.Id != wanted.Id && !root.Signs && IsOver(root, now, settings))
                steps.Add(new RotationStep.Drop(root.Id));
        }

        return steps.ToImmutable();
    }

    /// <param name="created">The root of <see cref="RotationStep.Create"/>.</param>
    public static AuthorityState Apply(AuthorityState state, RotationStep step, DateTimeOffset now, Func<MeshRoot> created) => step switch
    {
        RotationStep.Create => state.With([.. state.Roots, created() with { TrustedSince = now }]),
        RotationStep.Trust(var root) => state.With([.. state.Roots, root]),
        RotationStep.Sign(var id) => state.With([.. state.Roots.Select(root =>
            root.Id == id ? root with { SignsSince = now, RetiredAt = null }
            : root.Signs ? root with { RetiredAt = now }
            : root)]),
        RotationStep.Drop(var id) => state.With([.. state.Roots.Where(root => root.Id != id)]),
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    // The newest of the own ones that has time left; the one that signs when there is no newer one.
    private static MeshRoot? Own(AuthorityState state, DateTimeOffset now, RotationSettings settings) =>
        state.Roots.Where(root => !root.Imported && root.NotAfter - now > Ahead(settings)).MaxBy(root => (root.NotAfter, root.TrustedSince));

    // A root that is due on its first day would be followed without end.
    private static TimeSpan Ahead(RotationSettings settings) => settings.RootAhead < settings.RootLife / 2 ? settings.RootAhead : settings.RootLife / 2;

    // Another intermediate of a root that is trusted already need not wait.
    private static MeshRoot TrustedAs(AuthorityState state, MeshRoot imported, DateTimeOffset now)
    {
        var since = state.Roots.Where(root => root.Roots == imported.Roots).Select(root => root.TrustedSince).DefaultIfEmpty(now).Min();
        return imported with { TrustedSince = since };
    }

    // Before the first certificate there is nobody who could refuse another root's.
    private static bool MaySign(AuthorityState state, MeshRoot next, DateTimeOffset now, RotationSettings settings) =>
        state.Signer is not { } signer || signer.NotAfter <= now || !state.Roots.Any(root => root.HasSigned) || now >= next.TrustedSince + settings.Overlap;

    // What never signed has no certificate to wait for.
    private static bool IsOver(MeshRoot root, DateTimeOffset now, RotationSettings settings) =>
        !root.HasSigned || (root.RetiredAt is { } retired && now >= retired + settings.CertificateLife + settings.Skew);
}
