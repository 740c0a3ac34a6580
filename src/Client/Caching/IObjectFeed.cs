using Weft.Api;

namespace Weft.Client;

/// <summary>The objects of one resource and their changes, of which only what every object has is looked at.</summary>
public interface IObjectFeed
{
    ApiResource Resource { get; }

    Task Synced { get; }

    /// <summary>As <see cref="ObjectCache{T}.Subscribe"/>: the objects there are, then every change.</summary>
    IDisposable SubscribeToObjects(Action<Change<IObject>> onChange);
}
