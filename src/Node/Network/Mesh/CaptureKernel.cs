using Weft.Node.Network.Nftables;
using Weft.Node.Network.Services;

namespace Weft.Node.Network.Mesh;

/// <summary>Where the rules of the capture are in force. One call at a time, but for <see cref="StandsAsync"/>.</summary>
internal interface ICaptureKernel : IDisposable
{
    /// <summary>Everything anew: exactly these addresses are captured.</summary>
    /// <exception cref="IOException">Refused.</exception>
    Task SetAllAsync(IReadOnlyCollection<string> addresses, CancellationToken cancellationToken);

    /// <exception cref="IOException">Refused.</exception>
    Task ChangeAsync(IReadOnlyCollection<string> added, IReadOnlyCollection<string> removed, CancellationToken cancellationToken);

    /// <summary>Makes the way to the proxy again, and says whether the rules are still there.</summary>
    /// <exception cref="IOException">The way cannot be made.</exception>
    Task<bool> StandsAsync(CancellationToken cancellationToken);
}

/// <summary>This machine's, by nf_tables and ip.</summary>
internal sealed class CaptureKernel(ServiceNetwork network) : ICaptureKernel
{
    private readonly NftTransactions _changes = new(CaptureRules.TypeOf);

    // The way to the proxy first: what is captured without it would be dropped.
    public async Task SetAllAsync(IReadOnlyCollection<string> addresses, CancellationToken cancellationToken)
    {
        await CaptureRoutes.EnsureAsync(network.ClusterCidr, cancellationToken);
        await Nft.RunAsync(CaptureRules.Whole(network, addresses), cancellationToken);
    }

    public Task ChangeAsync(IReadOnlyCollection<string> added, IReadOnlyCollection<string> removed, CancellationToken cancellationToken) =>
        _changes.ApplyAsync(CaptureRules.Add(network, added) + CaptureRules.Remove(network, removed), cancellationToken);

    public async Task<bool> StandsAsync(CancellationToken cancellationToken)
    {
        await CaptureRoutes.EnsureAsync(network.ClusterCidr, cancellationToken);
        try
        {
            await Nft.ReadAsync(["list", "chain", "ip", NodeFirewall.TableName(network.ClusterName), CaptureRules.Sign], "", cancellationToken);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose() => _changes.Dispose();
}
