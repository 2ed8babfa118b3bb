using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Identity;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>Answers <c>kubectl auth can-i</c>: a SelfSubjectAccessReview.</summary>
internal static class AccessReview
{
    public static JsonObject Answer(JsonObject review, Caller caller, AccessRules rules)
    {
        var spec = review["spec"] as JsonObject ?? [];
        bool allowed;
        if (spec["nonResourceAttributes"] is JsonObject path)
        {
            allowed = AccessRules.AllowsPath(caller, Text(path, "verb"), Text(path, "path"));
        }
        else
        {
            var resource = spec["resourceAttributes"] as JsonObject ?? [];
            var name = Text(resource, "subresource") is { Length: > 0 } sub ? $"{Text(resource, "resource")}/{sub}" : Text(resource, "resource");
            allowed = rules.Allows(caller, Text(resource, "verb"), Text(resource, "group"), name, Text(resource, "namespace"));
        }

        return new JsonObject
        {
            ["kind"] = "SelfSubjectAccessReview",
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["metadata"] = new JsonObject { ["creationTimestamp"] = null },
            ["spec"] = spec.DeepClone(),
            ["status"] = new JsonObject { ["allowed"] = allowed },
        };
    }

    private static string Text(JsonObject source, string name) => source[name]?.ToString() ?? string.Empty;
}
