using System.Collections.Concurrent;

namespace Weft.Proxy.Telemetry;

/// <summary>
/// Small numbers for values that records and series name: a number is two instructions to copy, a text is not. Numbers are given when the configuration is compiled or a peer
/// shows its certificate, never for a request. Bounded, as peers can make up names: what comes after the limit shares number 0.
/// </summary>
/// <param name="other">The value of number 0.</param>
internal sealed class InternTable<T>(T other, int limit) where T : notnull
{
    private readonly ConcurrentDictionary<T, int> _numbers = new();
    private readonly Lock _gate = new();
    private T[] _values = [other];

    public T this[int number]
    {
        get
        {
            var values = Volatile.Read(ref _values);
            return (uint)number < (uint)values.Length ? values[number] : values[0];
        }
    }

    public int Intern(T value) => _numbers.TryGetValue(value, out var number) ? number : Add(value);

    private int Add(T value)
    {
        lock (_gate)
        {
            if (_numbers.TryGetValue(value, out var number))
                return number;
            if (_values.Length > limit)
                return 0;
            number = _values.Length;
            Volatile.Write(ref _values, [.. _values, value]);
            _numbers[value] = number;
            return number;
        }
    }
}
