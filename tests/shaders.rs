//! Every assembled shader is valid WGSL, fits the portable limits, agrees with the tables on the host,
//! and translates to the languages of all vendors.

use manytune::engine::gpu::machines::sources::{Bases, MachineKernel};
use manytune::engine::gpu::machines::tables as machines;
use manytune::engine::gpu::pipelines::Kernel;
use manytune::engine::gpu::{ceiling, resident, sources, tables, variant};
use naga::back::{PipelineConstants, hlsl, msl, pipeline_constants, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess, TypeInner};

fn parse(source: &sources::Source) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(&source.wgsl)
        .unwrap_or_else(|error| panic!("{}: {}", source.name, error.emit_to_string(&source.wgsl)));
    // No capabilities: nothing beyond the core of WebGPU.
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {error:?}", source.name));
    (module, info)
}

/// All kernels, those that make tiles in every variant.
fn all_sources() -> Vec<(Kernel, sources::Source)> {
    let in_variant = |(place, variant): (usize, &variant::Variant)| {
        let kernels = Kernel::ALL.into_iter().zip(sources::assemble_in(variant));
        kernels.filter(move |(kernel, _)| place == variant::BASE || kernel.product_place().is_some())
    };
    variant::ALL.iter().enumerate().flat_map(in_variant).collect()
}

/// The kernels of kernel machines, with bases from either place.
fn machine_sources() -> Vec<(MachineKernel, sources::Source)> {
    let both =
        |kernel: MachineKernel| [Bases::Stored, Bases::Computed].map(|bases| (kernel, kernel.source(bases)));
    MachineKernel::ALL.into_iter().flat_map(both).collect()
}

#[test]
fn every_shader_is_valid_and_translates_to_spirv_msl_and_hlsl() {
    let kernels = all_sources().into_iter().map(|(_, source)| source);
    let kernels =
        kernels.chain(ceiling::sources()).chain(machine_sources().into_iter().map(|(_, source)| source));
    for source in kernels {
        let (module, info) = parse(&source);
        let variants = match source.name {
            "resident" => resident::variant::ALL.iter().map(|variant| variant.constants().to_vec()).collect(),
            "svm_solve" => [16.0, 64.0, 256.0].map(|threads| vec![("threads", threads)]).to_vec(),
            _ => vec![Vec::new()],
        };
        for constants in variants {
            translate(&source, &module, &info, &constants);
        }
    }
}

/// With values for its overrides.
fn translate(source: &sources::Source, module: &Module, info: &ModuleInfo, constants: &[(&str, f64)]) {
    let constants: PipelineConstants =
        constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let entry = Some((naga::ShaderStage::Compute, "main"));
    let (module, info) = pipeline_constants::process_overrides(module, info, entry, &constants)
        .unwrap_or_else(|error| panic!("{} with {constants:?}: {error}", source.name));
    let (module, info) = (&*module, &*info);
    let [threads, ..] = module.entry_points[0].workgroup_size;
    assert!(constants.get("threads").is_none_or(|given| *given == f64::from(threads)), "{}", source.name);
    let words = spv::write_vec(module, info, &spv::Options::default(), None)
        .unwrap_or_else(|error| panic!("{} to SPIR-V: {error}", source.name));
    assert_eq!(words[0], 0x0723_0203, "{}: the SPIR-V magic number", source.name);
    let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
    let (metal, _) = msl::write_string(module, info, &options, &msl::PipelineOptions::default())
        .unwrap_or_else(|error| panic!("{} to MSL: {error}", source.name));
    assert!(metal.contains("kernel void main_"), "{}: no Metal kernel", source.name);
    let mut direct = String::new();
    let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    hlsl::Writer::new(&mut direct, &options, &hlsl::PipelineOptions::default())
        .write(module, info, None)
        .unwrap_or_else(|error| panic!("{} to HLSL: {error}", source.name));
    assert!(direct.contains(&format!("numthreads({threads}, 1, 1)")), "{}: no HLSL kernel", source.name);
}

#[test]
fn kernels_bind_what_the_host_gives_them_and_at_most_eight_storage_buffers() {
    let of_kernels = all_sources().into_iter().map(|(kernel, source)| {
        let mut roles: Vec<_> = kernel.bindings().iter().map(|(role, _)| format!("{role:?}")).collect();
        roles.sort();
        roles.dedup();
        assert_eq!(roles.len(), kernel.bindings().len(), "{}: a buffer is bound twice", source.name);
        (kernel.bindings().iter().map(|(_, written)| *written).collect::<Vec<bool>>(), source)
    });
    let of_machines =
        machine_sources().into_iter().map(|(kernel, source)| (kernel.written().to_vec(), source));
    for (written, source) in of_kernels.chain(of_machines) {
        let (module, _) = parse(&source);
        let mut bound: Vec<(u32, bool)> = module
            .global_variables
            .iter()
            .filter_map(|(_, variable)| match variable.space {
                AddressSpace::Storage { access } => {
                    Some((variable.binding?.binding, access.contains(StorageAccess::STORE)))
                }
                _ => None,
            })
            .collect();
        bound.sort_unstable();
        let given: Vec<(u32, bool)> = (1..).zip(written).collect();
        assert_eq!(bound, given, "{}", source.name);
        assert!(bound.len() <= 8, "{}: {} storage buffers", source.name, bound.len());
    }
}

/// 256 threads and 16 KiB a workgroup: what every device of WebGPU has.
#[test]
fn tiles_stay_within_the_workgroups_that_every_device_has() {
    let mut threads_of_tiles = Vec::new();
    for (kernel, source) in all_sources().into_iter().filter(|(kernel, _)| kernel.product_place().is_some()) {
        let (module, _) = parse(&source);
        let [threads, ..] = module.entry_points[0].workgroup_size;
        assert!(threads <= 256, "{}: {threads} threads", source.name);
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let shared = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::WorkGroup);
        let bytes: u32 = shared.map(|(_, variable)| layouter[variable.ty].size).sum();
        assert!(bytes <= 16 << 10, "{}: {bytes} bytes of workgroup memory", source.name);
        if kernel == Kernel::Forward {
            threads_of_tiles.push(threads);
        }
    }
    let on_the_host: Vec<u32> = variant::ALL.iter().map(variant::Variant::threads).collect();
    assert_eq!(threads_of_tiles, on_the_host, "threads of each variant");
}

#[test]
fn tables_on_the_host_have_the_layout_of_their_wgsl_twins() {
    let twins = [
        ("Member", tables::MemberRow::fields(), size_of::<tables::MemberRow>()),
        ("Layer", tables::LayerRow::fields(), size_of::<tables::LayerRow>()),
        ("Work", tables::WorkRow::fields(), size_of::<tables::WorkRow>()),
        ("Control", tables::ControlRow::fields(), size_of::<tables::ControlRow>()),
        ("Dispatch", tables::DispatchRow::fields(), size_of::<tables::DispatchRow>()),
    ];
    are_twins(&sources::assemble()[1], &twins);
    let twins = [
        ("Machines", machines::MachinesRow::fields(), size_of::<machines::MachinesRow>()),
        ("Problem", machines::ProblemRow::fields(), size_of::<machines::ProblemRow>()),
        ("Progress", machines::ProgressRow::fields(), size_of::<machines::ProgressRow>()),
    ];
    are_twins(&MachineKernel::Solve.source(Bases::Stored), &twins);
}

/// A struct: its name, its fields with their offsets, its size.
type Twin<'a> = (&'a str, Vec<(&'a str, usize)>, usize);

fn are_twins(source: &sources::Source, twins: &[Twin<'_>]) {
    let (module, _) = parse(source);
    for (name, fields, size) in twins {
        let found = module.types.iter().find(|(_, kind)| kind.name.as_deref() == Some(*name));
        let Some((_, naga::Type { inner: TypeInner::Struct { members, span }, .. })) = found else {
            panic!("the prelude has no struct {name}");
        };
        let expected: Vec<(&str, usize)> =
            members.iter().map(|m| (m.name.as_deref().unwrap_or(""), m.offset as usize)).collect();
        assert_eq!(*fields, expected, "{name}");
        assert_eq!(*size, *span as usize, "{name}");
    }
}
