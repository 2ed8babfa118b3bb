using Cake.Frosting.MeshTrust.Kind;
using Cake.Frosting.MeshTrust.Tools;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.Frosting.MeshTrust;

/// <summary>Adds what the tasks are made of to a Cake host.</summary>
public static class MeshTrustServices
{
    /// <summary>
    /// Registers the collaborators of the tasks; the tasks themselves come with
    /// <c>AddAssembly(typeof(VerifyTask).Assembly)</c>. Nothing is read or started until a task of MeshTrust runs.
    /// </summary>
    public static IServiceCollection AddMeshTrust(this IServiceCollection services, Action<MeshTrustOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new MeshTrustOptions();
        configure?.Invoke(options);
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RunCancellation>();
        services.TryAddSingleton(_ => StandardOutput.AsItIs());
        services.TryAddSingleton<LiveStatus>();
        services.TryAddSingleton<ToolHost>();
        services.TryAddSingleton<EngineSearch>();
        services.TryAddSingleton<EngineSnapshotReader>();
        services.TryAddSingleton<KindAccess>();
        services.TryAddSingleton<HostReader>();
        services.TryAddSingleton<PreflightReader>();
        services.TryAddSingleton<MeshSession>();
        services.TryAddSingleton<PipelineExport>();
        services.TryAddSingleton<ReportDelivery>();
        return services;
    }
}
