namespace Weft.Api.Selectors;

/// <summary>A label or field selector that cannot be read. The message is what Kubernetes says for it, and goes to the client as it is (400).</summary>
public sealed class SelectorException(string message) : Exception(message);
