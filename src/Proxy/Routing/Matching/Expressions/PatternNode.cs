namespace Weft.Proxy.Routing.Matching.Expressions;

/// <summary>An expression as a tree.</summary>
internal abstract record PatternNode;

internal sealed record SetNode(ByteSet Set) : PatternNode;

internal sealed record SequenceNode(IReadOnlyList<PatternNode> Parts) : PatternNode;

internal sealed record ChoiceNode(IReadOnlyList<PatternNode> Parts) : PatternNode;

/// <param name="Most">Null: no limit.</param>
internal sealed record RepeatNode(PatternNode Body, int Least, int? Most) : PatternNode;

/// <summary>Some of the 256 bytes.</summary>
internal readonly record struct ByteSet(UInt128 Low, UInt128 High)
{
    public bool Contains(int value) => ((value < 128 ? Low : High) >> (value & 127) & 1) != 0;

    public ByteSet With(int value) => value < 128 ? this with { Low = Low | (UInt128.One << value) } : this with { High = High | (UInt128.One << (value & 127)) };
}
