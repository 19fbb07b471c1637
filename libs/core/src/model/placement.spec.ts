import { describe, expect, it } from '@jest/globals';
import { isPlacementKey, labelsText, parseLabels, parsePlacement, placementOf } from './placement.js';

const rule = '1 to 63 letters, digits, dots, underscores and dashes that begin and end with a letter or digit';

describe('parsePlacement', () => {
  it('reads the settings below placement', () => {
    const config = { 'connector.class': 'A', 'placement.zone': ' a ', 'placement.example.com-rack': 'r1', topic: 't' };
    expect(parsePlacement(config)).toEqual({ ok: true, value: { zone: 'a', 'example.com-rack': 'r1' } });
    expect(parsePlacement({ placement: 'x' })).toEqual({ ok: true, value: {} });
    expect(Object.keys(config).filter(isPlacementKey)).toEqual(['placement.zone', 'placement.example.com-rack']);
  });

  it('names every wrong setting, what was given and what is allowed', () => {
    const long = 'x'.repeat(64);
    expect(parsePlacement({ 'placement.': 'a', 'placement.zone': '', 'placement.rack': 'r 1', 'placement.z': long })).toEqual({
      ok: false,
      errors: [
        { field: 'placement.', message: `Invalid label name "" for configuration placement.: must be ${rule}.` },
        {
          field: 'placement.zone',
          message: `Invalid value "" of label zone for configuration placement.zone: must be ${rule}.`,
        },
        {
          field: 'placement.rack',
          message: `Invalid value "r 1" of label rack for configuration placement.rack: must be ${rule}.`,
        },
        {
          field: 'placement.z',
          message: `Invalid value "${long}" of label z for configuration placement.z: must be ${rule}.`,
        },
      ],
    });
  });
});

describe('placementOf', () => {
  it('says what parsePlacement says of a good config', () => {
    const config = { 'placement.zone': ' a ', 'placement.rack': 'r1', name: 'n' };
    expect(parsePlacement(config)).toEqual({ ok: true, value: placementOf(config) });
  });

  it('asks for a label that nobody carries if a stored config is wrong', () => {
    expect(placementOf({ 'placement.zone': '' })).toEqual({ zone: '' });
  });
});

describe('parseLabels', () => {
  it('reads the labels of a node', () => {
    expect(parseLabels('SLUICE_LABELS', 'zone=a, rack = r1')).toEqual({ ok: true, value: { zone: 'a', rack: 'r1' } });
    expect(parseLabels('SLUICE_LABELS', ' ')).toEqual({ ok: true, value: {} });
  });

  it.each([
    ['zone', 'Label zone of configuration SLUICE_LABELS has no value: write it as zone=value.'],
    ['zone=a,zone=b', 'Label zone is given twice in configuration SLUICE_LABELS: write it once.'],
    ['zone=a,', `Invalid label name "" for configuration SLUICE_LABELS: must be ${rule}.`],
    ['zone=a=b', `Invalid value "a=b" of label zone for configuration SLUICE_LABELS: must be ${rule}.`],
    ['__proto__=x', `Invalid label name "__proto__" for configuration SLUICE_LABELS: must be ${rule}.`],
  ])('refuses %j', (text, message) => {
    expect(parseLabels('SLUICE_LABELS', text)).toEqual({ ok: false, errors: [{ field: 'SLUICE_LABELS', message }] });
  });
});

describe('labelsText', () => {
  it('does not depend on the order of names', () => {
    expect(labelsText({ b: '2', a: '1' })).toBe('{a: 1, b: 2}');
    expect(labelsText({})).toBe('{}');
  });
});
