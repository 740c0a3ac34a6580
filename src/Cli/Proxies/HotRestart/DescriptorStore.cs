namespace Weft.Cli.Proxies.HotRestart;

/// <summary>Descriptors by name, open for as long as they are wanted: what lies behind them outlives every process that uses it. It knows of no more than that, as systemd's store of the same kind.</summary>
internal sealed class DescriptorStore : IDisposable
{
    private readonly Dictionary<string, List<int>> _byName = [];

    public IEnumerable<(string Name, IReadOnlyList<int> Descriptors)> All => _byName.Select(pair => (pair.Key, (IReadOnlyList<int>)pair.Value));

    public void Hold(string name, IReadOnlyList<int> descriptors)
    {
        Release(name);
        _byName[name] = [.. descriptors];
    }

    public void Add(string name, IReadOnlyList<int> descriptors)
    {
        if (_byName.TryGetValue(name, out var held))
            held.AddRange(descriptors);
        else
            Hold(name, descriptors);
    }

    public void Release(string name)
    {
        if (_byName.Remove(name, out var held))
            held.ForEach(ControlSocket.CloseDescriptor);
    }

    public void Dispose()
    {
        foreach (var name in _byName.Keys.ToArray())
            Release(name);
    }
}
