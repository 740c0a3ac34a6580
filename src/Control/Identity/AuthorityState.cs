using System.Collections.Immutable;

namespace Weft.Control.Identity;

/// <summary>Who signs, or has signed, or will sign the certificates of workloads.</summary>
public sealed record MeshRoot
{
    /// <summary>SHA-256 of the signing certificate, in hex.</summary>
    public string Id { get; init; } = "";

    /// <summary>From outside (`cacerts`); false: made here.</summary>
    public bool Imported { get; init; }

    /// <summary>PEM of the signing certificate.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM of its key. Never in a log.</summary>
    public string Key { get; init; } = "";

    /// <summary>PEM of what a workload shows after its own certificate: the signing certificate and those between it and a root. Empty where the root itself signs.</summary>
    public string Chain { get; init; } = "";

    /// <summary>PEM of the roots that such chains end at.</summary>
    public string Roots { get; init; } = "";

    /// <summary>The first end among the signing certificate, its chain and roots.</summary>
    public DateTimeOffset NotAfter { get; init; }

    /// <summary>Since then it is in the bundle.</summary>
    public DateTimeOffset TrustedSince { get; init; }

    /// <summary>Null: it does not sign yet.</summary>
    public DateTimeOffset? SignsSince { get; init; }

    /// <summary>Since then another one signs; null: it is still to sign, or does.</summary>
    public DateTimeOffset? RetiredAt { get; init; }

    /// <summary>There may be certificates of it.</summary>
    public bool HasSigned { get; init; }

    public bool Signs => SignsSince is not null && RetiredAt is null;

    public override string ToString() => $"(root {Id})";
}

/// <summary>Everything that is kept of the mesh's authority.</summary>
public sealed record AuthorityState
{
    public static readonly AuthorityState Empty = new();

    /// <summary>Of the bundle; grows with each change of it.</summary>
    public long BundleVersion { get; init; }

    public ImmutableArray<MeshRoot> Roots { get; init; } = [];

    public MeshRoot? Signer => Roots.FirstOrDefault(root => root.Signs);

    /// <summary>What everybody trusts, in PEM, each root once.</summary>
    public string Bundle => string.Concat(Roots.Select(root => root.Roots).Distinct(StringComparer.Ordinal));

    internal MeshRoot? Find(string id) => Roots.FirstOrDefault(root => root.Id == id);

    internal AuthorityState With(ImmutableArray<MeshRoot> roots)
    {
        var next = this with { Roots = roots };
        return next.Bundle == Bundle ? next : next with { BundleVersion = BundleVersion + 1 };
    }

    internal AuthorityState Replace(MeshRoot root) => With([.. Roots.Select(old => old.Id == root.Id ? root : old)]);
}
