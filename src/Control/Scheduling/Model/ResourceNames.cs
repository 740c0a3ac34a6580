namespace Weft.Control.Scheduling.Model;

/// <summary>
/// Numbers for resource names, so that amounts lie in arrays. Only nodes add names: a pod may ask for any name, and must not make the table grow.
/// </summary>
internal sealed class ResourceNames
{
    public const int Cpu = 0;
    public const int Memory = 1;
    public const int EphemeralStorage = 2;
    public const int Pods = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _numbers = new() { ["cpu"] = Cpu, ["memory"] = Memory, ["ephemeral-storage"] = EphemeralStorage, ["pods"] = Pods };

    public int Count
    {
        get
        {
            lock (_gate)
                return _numbers.Count;
        }
    }

    /// <summary>-1 when no node has ever offered it.</summary>
    public int Find(string name)
    {
        lock (_gate)
            return _numbers.GetValueOrDefault(name, -1);
    }

    public int Add(string name)
    {
        lock (_gate)
        {
            if (!_numbers.TryGetValue(name, out var number))
                _numbers[name] = number = _numbers.Count;
            return number;
        }
    }
}
