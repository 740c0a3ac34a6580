namespace Weft.Balancing;

/// <summary>
/// Chooses among the endpoints it was made for, all of them usable. Made anew when that set changes, so whatever can be computed ahead is. Called
/// by several event loops at once; no lock, no allocation.
/// </summary>
public interface IBalancer
{
    /// <summary>An index into the endpoints it was made for; -1 when there is none, or none that was not tried.</summary>
    int Pick(in PickRequest request, ref Rng rng);
}

/// <summary>What a choice may depend on.</summary>
/// <param name="Hash">Of the header, cookie, source or query that keeps requests together; null: none was there.</param>
public readonly record struct PickRequest(ulong? Hash = null)
{
    /// <summary>Endpoints that this request has tried. A retry goes elsewhere where it can.</summary>
    public TriedEndpoints Tried { get; init; }
}

/// <summary>Up to four indices, by value: more tries than that are not worth a list.</summary>
public readonly record struct TriedEndpoints
{
    private const int Bits = 16;
    private readonly ulong _packed;   // index + 1 in each 16 bits; 0 is empty

    private TriedEndpoints(ulong packed) => _packed = packed;

    public bool IsEmpty => _packed == 0;

    public bool Contains(int index)
    {
        for (var rest = _packed; rest != 0; rest >>= Bits)
        {
            if ((int)(rest & 0xFFFF) == index + 1)
                return true;
        }

        return false;
    }

    /// <summary>The oldest is forgotten when there are more than four. Indices above 65,534 are not remembered.</summary>
    public TriedEndpoints With(int index) => index is < 0 or > 65_534 ? this : new((_packed << Bits) | (uint)(index + 1));
}
