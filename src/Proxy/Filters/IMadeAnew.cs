namespace Weft.Proxy.Filters;

/// <summary>A filter that is made of more than its record (a provider, a file), so an equal record does not say that it is the same. It has nothing that must outlive a configuration.</summary>
internal interface IMadeAnew;
