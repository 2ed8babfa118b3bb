using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Install;

/// <summary>A file to write, with its path below the directory <c>install</c>.</summary>
internal sealed record InstallFile(string Path, string Text)
{
    /// <summary>Writes it below a directory, unless it is there already. Scripts become executable.</summary>
    /// <exception cref="MeshTrustException">MT10xx: it cannot be written.</exception>
    internal bool WriteTo(string directory)
    {
        var path = System.IO.Path.Combine(directory, Path.Replace('/', System.IO.Path.DirectorySeparatorChar));
        var bytes = Encoding.UTF8.GetBytes(Text);
        var isChanged = !File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes);
        DiskFault.Report(Stage.Contexts, path, () =>
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            if (isChanged) AtomicFile.Replace(path, bytes, secret: false);
            const UnixFileMode All = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            if (Path.EndsWith(".sh", StringComparison.Ordinal) && !OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, File.GetUnixFileMode(path) | All);
        });
        return isChanged;
    }
}

/// <summary>Which Istio to install.</summary>
/// <param name="Version">A version of the charts, such as <c>1.31</c> or <c>1.31.2</c>.</param>
/// <param name="Revision">The revision; empty for the default one.</param>
internal sealed record IstioChoice(string Version, string Revision)
{
    /// <summary>The charts whose values these are: those of other versions may differ.</summary>
    internal const string Checked = "1.32";

    internal bool IsChecked => Version == Checked || Version.StartsWith($"{Checked}.", StringComparison.Ordinal);
}

/// <summary>
/// Istio's installation for the roles and networks of a topology: values for Helm and istioctl, and scripts with the commands in order.
/// Pure. The four installs of Istio's guide are special cases: multi-primary and primary-remote, on one network or several.
/// </summary>
internal static class InstallPlan
{
    /// <summary>Why a topology cannot be installed like this.</summary>
    internal static IReadOnlyList<Problem> Problems(MeshTopology topology)
    {
        var remotes = topology.Clusters.Where(c => c.Primary is { } primary && primary != c.Name).ToList();
        return
        [
            .. from cluster in remotes
               where topology.Mode is DataPlaneMode.Ambient
               select new Problem("MT6101", cluster.Name.Value, "Ambient mode does not support remote clusters: each needs its own istiod.",
                   "Remove primary from this cluster, or use sidecars (--mode=sidecar)."),
            .. from cluster in topology.Clusters
               where topology.Mode is DataPlaneMode.Ambient && cluster.Network is null && topology.Clusters.Count > 1
               select new Problem("MT6102", cluster.Name.Value, "Ambient mode connects clusters only through gateways between networks.",
                   "Give each cluster a network of its own in the topology (network: network1)."),
        ];
    }

    /// <param name="topology">The mesh.</param>
    /// <param name="contexts">The kubeconfig context of each cluster.</param>
    /// <param name="pilots">The address of the east-west gateway of a primary, where it has one already.</param>
    /// <param name="istio">Which Istio to install.</param>
    /// <param name="kubeconfig">The kubeconfig with these contexts.</param>
    internal static IReadOnlyList<InstallFile> Files(
        MeshTopology topology, IReadOnlyDictionary<ClusterName, string> contexts, IReadOnlyDictionary<ClusterName, string> pilots,
        IstioChoice istio, string kubeconfig)
    {
        var files = new List<InstallFile>();
        foreach (var cluster in topology.Clusters)
        {
            var pilot = cluster.Primary is { } primary ? pilots.GetValueOrDefault(primary) : null;
            var values = new IstioValues(topology, cluster, istio.Revision, pilot);
            Add("base.yaml", values.Base());
            Add("istiod.yaml", values.Istiod());
            Add("istio-operator.yaml", values.Operator());
            if (values.IsAmbient)
            {
                Add("cni.yaml", IstioValues.Cni());
                Add("ztunnel.yaml", values.Ztunnel());
                if (values.NeedsGateway) Add("eastwest-gateway.yaml", values.AmbientGateway());
            }
            else if (values.NeedsGateway)
            {
                Add("eastwest.yaml", values.Gateway());
                Add("eastwest-operator.yaml", values.GatewayOperator());
                if (values.HasNetworks && !values.IsRemote) Add("expose-services.yaml", values.ExposeServices());
                if (values.HasRemotes) Add("expose-istiod.yaml", values.ExposeIstiod());
            }

            void Add(string name, params IEnumerable<JsonObject> documents) =>
                files.Add(new InstallFile($"{cluster.Name}/{name}", YamlText.Write(documents)));
        }

        var steps = InstallScript.Steps(topology, contexts, pilots, istio).ToList();
        files.Add(new InstallFile("install.sh", InstallScript.Shell(steps, topology.Trust.Namespace, istio, kubeconfig)));
        files.Add(new InstallFile("install.ps1", InstallScript.PowerShell(steps, topology.Trust.Namespace, istio, kubeconfig)));
        return files;
    }
}
