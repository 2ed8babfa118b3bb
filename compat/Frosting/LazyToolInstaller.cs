using Cake.Core;
using Cake.Core.Configuration;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Core.Packaging;
using Cake.Core.Tooling;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>The genuine installer, made when first used: it draws in all of NuGet, which a build without tools need not wait for.</summary>
internal sealed class LazyToolInstaller(IServiceProvider provider) : IToolInstaller
{
    private readonly Lazy<ToolInstaller> _installer = new(() => new ToolInstaller(
        provider.GetRequiredService<ICakeEnvironment>(),
        provider.GetRequiredService<IToolLocator>(),
        provider.GetRequiredService<ICakeConfiguration>(),
        provider.GetRequiredService<ICakeLog>(),
        provider.GetServices<IPackageInstaller>()));

    public IEnumerable<FilePath> Install(PackageReference tool) => _installer.Value.Install(tool);
}
