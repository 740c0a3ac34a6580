namespace Weft.Proxy.Runtime;

/// <summary>A configuration that is not taken; the one before goes on.</summary>
/// <param name="errors">All that is wrong with it, a sentence each.</param>
public sealed class ProxyConfigException(IReadOnlyList<string> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<string> Errors => errors;
}
