namespace Weft.Registry;

/// <param name="Root">Directory of blobs, repositories and unfinished uploads; nobody else's.</param>
public sealed record RegistryOptions(string Root)
{
    /// <summary>The distribution specification asks for at least 4 MiB; containerd reads no more either.</summary>
    public long MaxManifestBytes { get; init; } = 4 << 20;

    /// <summary>Far above any layer that is of use on one machine; what counts is the reserve.</summary>
    public long MaxBlobBytes { get; init; } = 64L << 30;

    /// <summary>Stays free on the disk: the cluster's store is on the same one, and a store that cannot write is a cluster that stands still.</summary>
    public long DiskReserveBytes { get; init; } = 512L << 20;

    /// <summary>docker pushes 5 layers at once, skopeo 6: enough for a dozen clients.</summary>
    public int MaxUploads { get; init; } = 100;

    /// <summary>An upload that nobody has touched for so long is given up.</summary>
    public TimeSpan UploadPatience { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A blob without a manifest may belong to a push whose manifest comes last; a slow line may take so long for the other layers.</summary>
    public TimeSpan BlobGrace { get; init; } = TimeSpan.FromHours(2);

    /// <summary>A manifest without a tag (deleted, or its tag was pushed anew) may still be asked for by digest. Counts from its last push or pull.</summary>
    public TimeSpan UntaggedGrace { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan CollectEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Hosts under which this registry is asked for itself: an image `127.0.0.1:5000/x` is `x`.</summary>
    public IReadOnlyList<string> OwnHosts { get; init; } = [];

    /// <summary>Repositories of this host are Weft's own: nobody pushes or deletes there.</summary>
    public string ReservedHost { get; init; } = "weft.dev";
}
