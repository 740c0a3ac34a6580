namespace Weft.Client;

/// <summary>What happened to one object of a cache: Old is null when it appeared, New when it went. A relist may skip states in between.</summary>
public sealed record Change<T>(T? Old, T? New) where T : class
{
    /// <summary>The object as it is, or was.</summary>
    public T Current => New ?? Old!;
}
