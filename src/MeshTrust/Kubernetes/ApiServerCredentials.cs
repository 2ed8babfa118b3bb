using k8s;
using k8s.KubeConfigModels;
using MeshTrust.Kubeconfig;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubernetes;

/// <summary>Hands a context of our strictly read kubeconfig to KubernetesClient, which knows certificates, tokens, commands and providers.</summary>
internal static class ApiServerCredentials
{
    internal static KubernetesClientConfiguration Build(KubeconfigJudge context)
    {
        var endpoint = new ClusterEndpoint
        {
            Server = context.Cluster.Text("server"),
            CertificateAuthorityData = context.Cluster.Text("certificate-authority-data"),
            TlsServerName = context.Cluster.Text("tls-server-name"),
            // KubernetesClient refuses to go on without a CA; ServerTrust judges in any case.
            SkipTlsVerify = context.Cluster.Flag("insecure-skip-tls-verify") || context.Cluster.Text("certificate-authority-data") is null,
        };
        var configuration = new K8SConfiguration
        {
            ApiVersion = "v1",
            Kind = "Config",
            CurrentContext = context.Context.Name,
            Clusters = [new Cluster { Name = "cluster", ClusterEndpoint = endpoint }],
            Contexts = [new Context { Name = context.Context.Name, ContextDetails = new ContextDetails { Cluster = "cluster", User = "user" } }],
            Users = [new User { Name = "user", UserCredentials = Credentials(context.User) }],
        };
        return KubernetesClientConfiguration.BuildConfigFromConfigObject(configuration, context.Context.Name);
    }

    private static UserCredentials Credentials(KubeconfigEntry user) => new()
    {
        ClientCertificateData = user.Text("client-certificate-data"),
        ClientKeyData = user.Text("client-key-data"),
        Token = user.Text("token") ?? Token(user),
        UserName = user.Text("username"),
        Password = user.Text("password"),
        ExternalExecution = user.Node("exec") is YamlMappingNode exec ? Execution(new KubeconfigEntry("", user.Source, user.Line, exec)) : null,
        AuthProvider = user.Node("auth-provider") is YamlMappingNode provider ? Provider(new KubeconfigEntry("", user.Source, user.Line, provider)) : null,
    };

    private static string? Token(KubeconfigEntry user)
    {
        if (user.Text("tokenFile") is not { } file) return null;
        try
        {
            return File.ReadAllText(user.Resolve(file)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT0208", user.PlaceOf("tokenFile"),
                $"'tokenFile' of '{user.Name}' names the file {user.Resolve(file)}, which cannot be read.",
                "Restore the file, or log in to the cluster again."));
        }
    }

    private static ExternalExecution Execution(KubeconfigEntry exec) => new()
    {
        ApiVersion = exec.Text("apiVersion"),
        Command = exec.Text("command"),
        Arguments = exec.Node("args") is YamlSequenceNode args ? [.. args.OfType<YamlScalarNode>().Select(a => a.Value ?? "")] : null,
        EnvironmentVariables = exec.Node("env") is YamlSequenceNode env ? [.. env.OfType<YamlMappingNode>().Select(Strings)] : null,
        InstallHint = exec.Text("installHint"),
        ProvideClusterInfo = exec.Flag("provideClusterInfo"),
    };

    private static AuthProvider Provider(KubeconfigEntry provider) => new()
    {
        Name = provider.Text("name"),
        Config = provider.Node("config") is YamlMappingNode config ? Strings(config) : [],
    };

    private static Dictionary<string, string> Strings(YamlMappingNode map) =>
        map.Children.Where(c => c is { Key: YamlScalarNode, Value: YamlScalarNode }).ToDictionary(c => ((YamlScalarNode)c.Key).Value!, c => ((YamlScalarNode)c.Value).Value ?? "");
}
