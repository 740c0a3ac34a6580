using Weft.Node.Network.Mesh;

namespace Weft.Node.Tests.Network.Mesh;

/// <summary>Captured addresses as a set, whose changes can be made to fail.</summary>
internal sealed class FakeKernel : ICaptureKernel
{
    /// <summary>What is in force.</summary>
    public HashSet<string> Captured { get; } = [];

    /// <summary>How many of the next changes are refused.</summary>
    public int Refusals { get; set; }

    public Task SetAllAsync(IReadOnlyCollection<string> addresses, CancellationToken cancellationToken)
    {
        RefuseIfDue();
        Captured.Clear();
        Captured.UnionWith(addresses);
        return Task.CompletedTask;
    }

    public Task ChangeAsync(IReadOnlyCollection<string> added, IReadOnlyCollection<string> removed, CancellationToken cancellationToken)
    {
        RefuseIfDue();
        Captured.UnionWith(added);
        Captured.ExceptWith(removed);
        return Task.CompletedTask;
    }

    public Task<bool> StandsAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    private void RefuseIfDue()
    {
        if (Refusals > 0)
        {
            Refusals--;
            throw new IOException("refused");
        }
    }

    public void Dispose()
    {
    }
}
