using System.Runtime.InteropServices;

namespace Weft.Proxy.Routing.Matching.Expressions;

/// <summary>
/// An expression as a table: one look for each byte of a text, whatever the expression. Made whole when a configuration is compiled (Thompson 1968, then the subsets of Rabin and Scott 1959), so that it is
/// immutable and shared; an expression whose table would be large has none.
/// </summary>
internal sealed class ByteAutomaton
{
    private const int MaxSteps = 4_000;
    private const int MaxStates = 1_000;

    // Visits of steps while the table is made: milliseconds.
    private const int MaxWork = 500_000;
    private const int Dead = 0;
    private readonly byte[] _classes;
    private readonly int _classCount;
    private readonly ushort[] _next;
    private readonly bool[] _accepts;
    private readonly int _start;

    private ByteAutomaton(byte[] classes, int classCount, List<ushort[]> rows, List<bool> accepts, int start)
        => (_classes, _classCount, _next, _accepts, _start) = (classes, classCount, [.. rows.SelectMany(row => row)], [.. accepts], start);

    /// <summary>Null: the table would be too large.</summary>
    public static ByteAutomaton? Of(PatternNode pattern)
    {
        var steps = new Steps();
        var start = steps.Compile(pattern, steps.Accept);
        return steps.IsTooMany ? null : new Builder(steps).Build(start);
    }

    public bool Matches(ReadOnlySpan<byte> text)
    {
        var state = _start;
        foreach (var c in text)
        {
            state = _next[(state * _classCount) + _classes[c]];
            if (state == Dead)
                return false;
        }

        return _accepts[state];
    }

    /// <summary>What an expression may do next: take a byte of a set, or go on in one of two ways.</summary>
    private sealed class Steps
    {
        private readonly List<(ByteSet? Takes, int Next, int Other)> _all = [(null, -1, -1)];

        public int Accept => 0;

        public bool IsTooMany { get; private set; }

        public int Count => _all.Count;

        public (ByteSet? Takes, int Next, int Other) this[int step] => _all[step];

        public IEnumerable<ByteSet> Sets => _all.Select(step => step.Takes).OfType<ByteSet>().Distinct();

        /// <summary>From the end to the beginning: returns where the node begins that leads to <paramref name="next"/>.</summary>
        public int Compile(PatternNode node, int next)
        {
            switch (node)
            {
                case SetNode set:
                    return Add(set.Set, next, -1);
                case SequenceNode sequence:
                    return sequence.Parts.Reverse().Aggregate(next, (after, part) => Compile(part, after));
                case ChoiceNode choice:
                    return choice.Parts.Reverse().Select(part => Compile(part, next)).Aggregate((others, one) => Add(null, one, others));
                case RepeatNode repeat:
                    return Repeat(repeat, next);
                default:
                    throw new ArgumentOutOfRangeException(nameof(node));
            }
        }

        private int Repeat(RepeatNode repeat, int next)
        {
            var at = next;
            if (repeat.Most is { } most)
            {
                for (var i = repeat.Least; i < most && !IsTooMany; i++)
                    at = Add(null, Compile(repeat.Body, at), next);
            }
            else
            {
                at = Add(null, next, next);
                _all[at] = (null, Compile(repeat.Body, at), next);
            }

            for (var i = 0; i < repeat.Least && !IsTooMany; i++)
            {
                var before = at;
                at = Compile(repeat.Body, at);
                // A body that takes nothing and adds no step would be repeated 2^31 times without ever being too many.
                if (at == before)
                    break;
            }

            return at;
        }

        private int Add(ByteSet? takes, int next, int other)
        {
            IsTooMany |= _all.Count >= MaxSteps;
            if (IsTooMany)
                return 0;
            _all.Add((takes, next, other));
            return _all.Count - 1;
        }
    }

    private sealed class Builder
    {
        private readonly Steps _steps;
        private readonly byte[] _classes = new byte[256];
        private readonly List<int> _examples = [];
        private readonly Dictionary<string, int> _numbers = [];
        private readonly List<int[]> _states = [];
        private int _work;

        public Builder(Steps steps)
        {
            _steps = steps;
            // Bytes that every set takes alike are one column of the table.
            var sets = steps.Sets.ToArray();
            var known = new Dictionary<string, int>();
            for (var value = 0; value < 256; value++)
            {
                var signature = string.Create(sets.Length, value, (text, c) =>
                {
                    for (var i = 0; i < text.Length; i++)
                        text[i] = sets[i].Contains(c) ? '1' : '0';
                });
                if (!known.TryGetValue(signature, out var number))
                {
                    known.Add(signature, number = known.Count);
                    _examples.Add(value);
                }

                _classes[value] = (byte)number;
            }
        }

        public ByteAutomaton? Build(int start)
        {
            Number([]);
            var first = Number(Closure([start]));
            var rows = new List<ushort[]>();
            for (var state = 0; state < _states.Count; state++)
            {
                var row = new ushort[_examples.Count];
                for (var column = 0; column < row.Length; column++)
                    row[column] = (ushort)Number(Closure(After(_states[state], _examples[column])));
                rows.Add(row);
                if (_states.Count > MaxStates || _work > MaxWork)
                    return null;
            }

            return new ByteAutomaton(_classes, _examples.Count, rows, [.. _states.Select(steps => Array.IndexOf(steps, _steps.Accept) >= 0)], first);
        }

        private List<int> After(int[] state, int value)
        {
            var next = new List<int>();
            foreach (var step in state)
            {
                if (_steps[step].Takes is { } set && set.Contains(value))
                    next.Add(_steps[step].Next);
            }

            _work += state.Length;
            return next;
        }

        /// <summary>All steps that can be reached without a byte; of those only what takes a byte, and the end.</summary>
        private int[] Closure(List<int> steps)
        {
            var seen = new HashSet<int>();
            var open = new Stack<int>(steps);
            while (open.TryPop(out var step))
            {
                if (!seen.Add(step))
                    continue;
                _work++;
                if (step == _steps.Accept || _steps[step].Takes is not null)
                    continue;
                open.Push(_steps[step].Next);
                open.Push(_steps[step].Other);
            }

            return [.. seen.Where(step => step == _steps.Accept || _steps[step].Takes is not null).Order()];
        }

        private int Number(int[] state)
        {
            var key = new string(MemoryMarshal.Cast<int, char>(state));
            if (_numbers.TryGetValue(key, out var number))
                return number;
            _states.Add(state);
            return _numbers[key] = _states.Count - 1;
        }
    }
}
