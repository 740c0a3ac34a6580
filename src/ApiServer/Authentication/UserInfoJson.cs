using System.Text.Json.Nodes;

namespace Weft.ApiServer.Authentication;

/// <summary>authentication.k8s.io/v1 UserInfo.</summary>
internal static class UserInfoJson
{
    internal static JsonObject Write(UserInfo user)
    {
        var json = new JsonObject { ["username"] = user.Name };
        if (user.Uid.Length > 0)
            json["uid"] = user.Uid;
        if (user.Groups.Count > 0)
            json["groups"] = new JsonArray([.. user.Groups.Select(JsonNode (g) => g)]);
        if (user.Extra.Count > 0)
        {
            var extra = new JsonObject();
            foreach (var (key, values) in user.Extra)
                extra[key] = new JsonArray([.. values.Select(JsonNode (v) => v)]);
            json["extra"] = extra;
        }

        return json;
    }
}
