using System.Text.Json;

namespace MeshTrust.Kubernetes;

/// <summary>Recognises the programs that keep a secret: they write their own version again if something else changes it.</summary>
internal static class SecretKeeper
{
    /// <summary>Prefixes of labels and annotations, and parts of field managers, by which each program can be recognised.</summary>
    private static readonly (string Name, string[] Keys, string[] Managers)[] Known =
    [
        ("cert-manager", ["cert-manager.io/"], ["cert-manager"]),
        ("Argo CD", ["argocd.argoproj.io/"], ["argocd"]),
        ("External Secrets", ["reconcile.external-secrets.io/", "external-secrets.io/"], ["external-secrets", "externalsecrets"]),
        ("Sealed Secrets", ["sealedsecrets.bitnami.com/", "bitnami.com/"], ["sealed-secrets"]),
        ("Vault Secrets Operator", ["secrets.hashicorp.com/"], ["vault-secrets-operator"]),
        ("Flux", ["kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/"], ["kustomize-controller", "helm-controller"]),
        ("Fleet", ["fleet.cattle.io/", "objectset.rio.cattle.io/"], ["fleetagent"]),
        ("Reflector", ["reflector.v1.k8s.emberstack.com/"], []),
        ("kubernetes-replicator", ["replicator.v1.mittwald.de/"], ["replicator"]),
        ("Terraform", [], ["terraform", "hashicorp", "opentofu"]),
        ("Helm", ["meta.helm.sh/"], ["helm"]),
        ("kapp", ["kapp.k14s.io/"], ["kapp"]),
        ("Config Sync", ["configmanagement.gke.io/", "configsync.gke.io/"], ["configsync"]),
    ];

    /// <summary>The program, with the object that it makes the secret from if the secret names one; null if none is known.</summary>
    public static string? Of(JsonElement metadata)
    {
        var owner = metadata.TryGetProperty("ownerReferences", out var owners) && owners.ValueKind == JsonValueKind.Array
            ? owners.EnumerateArray().Select(o => $"{Text(o, "kind")} '{Text(o, "name")}'").FirstOrDefault()
            : null;
        var marks = KubernetesObjects.Strings(metadata, "annotations").Keys
            .Concat(KubernetesObjects.Strings(metadata, "labels").Keys)
            .ToList();
        var managers = metadata.TryGetProperty("managedFields", out var fields) && fields.ValueKind == JsonValueKind.Array
            ? fields.EnumerateArray().Select(f => Text(f, "manager")).ToList()
            : [];
        var name = Known.FirstOrDefault(k =>
            k.Keys.Any(key => marks.Any(m => m.StartsWith(key, StringComparison.Ordinal)))
            || k.Managers.Any(part => managers.Any(m => m.StartsWith(part, StringComparison.OrdinalIgnoreCase)))).Name;
        name ??= KubernetesObjects.Strings(metadata, "labels").GetValueOrDefault("app.kubernetes.io/managed-by");
        return (name, owner) switch { (null, _) => owner, (_, null) => name, _ => $"{name} ({owner})" };
    }

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out var text) ? text.GetString() ?? "" : "";
}
