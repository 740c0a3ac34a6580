using Weft.Api;

namespace Weft.Client;

public static class ApiResources
{
    /// <summary>Where the objects of a type are served.</summary>
    public static ApiResource Of<T>() where T : IObject
    {
        var info = KindInfo.Of<T>();
        return new ApiResource(info.Resource, info.Kind.Kind, info.Namespaced);
    }
}
